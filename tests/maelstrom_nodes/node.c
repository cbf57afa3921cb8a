/* A Maelstrom node in C: node echo | unique-ids | broadcast | g-set | g-counter | pn-counter [broken]
 * JSON is taken apart by searching, as far as these workloads need it: elements are whole numbers. One thread; what a broken link lost is
 * made good by telling everybody everything, now and then. Broken, it echoes what came before, forgets its own name, or spoils every
 * tenth update. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 99, NAME = 32, PERIOD_MS = 100, LINE = 1 << 20 };

static struct node { char name[NAME]; long adds, sum; } nodes[NODES];
static int count, me = -1;
static long *set, updates;
static size_t size, room;
static bool broken;
static const char *workload;

static void die(const char *why) { fprintf(stderr, "node: %s\n", why); exit(1); }

/* The value of the first field of that name, from its first character on. */
static const char *find(const char *line, const char *name) {
    char key[NAME + 4];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(line, key);
    return at ? at + strlen(key) : NULL;
}

static long number(const char *line, const char *name) {
    const char *at = find(line, name);
    if (!at) die("a number is missing");
    return strtol(at, NULL, 10);
}

/* A text without its quotes; texts with escapes in them are not names. */
static void text(const char *line, const char *name, char *into) {
    const char *at = find(line, name);
    if (!at || *at != '"') die("a name is missing");
    size_t length = strcspn(at + 1, "\"");
    if (length >= NAME) die("a name is too long");
    memcpy(into, at + 1, length);
    into[length] = 0;
}

/* How long the JSON scalar is that begins here. */
static int scalar(const char *at) {
    const char *end = at;
    if (*end != '"') return (int)strcspn(at, ",}");
    for (end++; *end && *end != '"'; end++)
        if (*end == '\\') end++;
    return (int)(end + 1 - at);
}

static struct node *node(const char *name) {
    for (int i = 0; i < count; i++)
        if (!strcmp(nodes[i].name, name)) return &nodes[i];
    return NULL;
}

static void learn(long element) {
    for (size_t i = 0; i < size; i++)
        if (set[i] == element) return;
    if (size == room && !(set = realloc(set, (room = room ? 2 * room : 64) * sizeof *set))) die("no memory");
    set[size++] = element;
}

static void learn_all(const char *list) {
    for (list++; *list && *list != ']'; list += *list == ',') {
        char *end;
        long element = strtol(list, &end, 10);
        if (end == list) die("elements must be whole numbers");
        learn(element);
        list = end;
    }
}

static void print_set(void) {
    for (size_t i = 0; i < size; i++) printf("%s%ld", i ? "," : "", set[i]);
}

static void tell_all(void) {
    if (me < 0 || (broken && !strcmp(workload, "broadcast"))) return;
    for (int i = 0; i < count; i++) {
        if (i == me) continue;
        if (size) {
            printf("{\"src\":\"%s\",\"dest\":\"%s\",\"body\":{\"type\":\"share\",\"set\":[", nodes[me].name, nodes[i].name);
            print_set();
            printf("]}}\n");
        }
        if (nodes[me].adds)
            printf("{\"src\":\"%s\",\"dest\":\"%s\",\"body\":{\"type\":\"sum\",\"adds\":%ld,\"of\":%ld}}\n", nodes[me].name,
                   nodes[i].name, nodes[me].adds, nodes[me].sum);
    }
}

static void begin(const char *line) {
    char name[NAME];
    for (const char *at = strchr(find(line, "node_ids"), '['); *at && *at != ']' && count < NODES;) {
        at = strchr(at, '"') + 1;
        size_t length = strcspn(at, "\"");
        if (length >= NAME) die("a name is too long");
        memcpy(nodes[count++].name, at, length);
        at += length + 1;
    }
    text(line, "node_id", name);
    me = (int)(node(name) - nodes);
}

/* The body of the answer. */
static void answer(const char *type, const char *line) {
    static char last[LINE] = "null";
    bool spoiled = broken && ++updates % 10 == 0;
    if (!strcmp(type, "init") || !strcmp(type, "topology")) {
        printf("\"type\":\"%s_ok\"", type);
    } else if (!strcmp(type, "echo")) {
        const char *said = find(line, "echo");
        if (spoiled) printf("\"type\":\"echo_ok\",\"echo\":%s", last);
        else printf("\"type\":\"echo_ok\",\"echo\":%.*s", scalar(said), said);
        snprintf(last, sizeof last, "%.*s", scalar(said), said);
    } else if (!strcmp(type, "generate")) {
        printf("\"type\":\"generate_ok\",\"id\":\"%s-%ld\"", broken ? "n" : nodes[me].name, ++nodes[me].adds);
    } else if (!strcmp(type, "broadcast") || (!strcmp(type, "add") && find(line, "element"))) {
        if (!spoiled) learn(number(line, *type == 'a' ? "element" : "message"));
        printf("\"type\":\"%s_ok\"", type);
    } else if (!strcmp(type, "add")) {
        nodes[me].adds++;
        nodes[me].sum += number(line, "delta") * (spoiled ? 2 : 1);
        printf("\"type\":\"add_ok\"");
    } else if (!strcmp(type, "read") && strstr(workload, "counter")) {
        long total = 0;
        for (int i = 0; i < count; i++) total += nodes[i].sum;
        printf("\"type\":\"read_ok\",\"value\":%ld", total);
    } else if (!strcmp(type, "read")) {
        printf("\"type\":\"read_ok\",\"%s\":[", strcmp(workload, "broadcast") ? "value" : "messages");
        print_set();
        printf("]");
    } else {
        printf("\"type\":\"error\",\"code\":10,\"text\":\"%s knows no %s\"", workload, type);
    }
}

static void receive(const char *line) {
    char src[NAME], type[NAME];
    text(line, "src", src);
    text(line, "type", type);
    if (!strcmp(type, "share")) { learn_all(find(line, "set")); return; }
    if (!strcmp(type, "sum")) {
        struct node *from = node(src);
        if (from && number(line, "adds") > from->adds) from->adds = number(line, "adds"), from->sum = number(line, "of");
        return;
    }
    if (!strcmp(type, "init")) begin(line);
    printf("{\"src\":\"%s\",\"dest\":\"%s\",\"body\":{", nodes[me].name, src);
    answer(type, line);
    printf(",\"in_reply_to\":%ld}}\n", number(line, "msg_id"));
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
    static char buffer[LINE];
    size_t held = 0;
    long told_ms = now_ms();
    if (argc < 2) die("which workload?");
    workload = argv[1];
    broken = argc > 2 && !strcmp(argv[2], "broken");
    for (struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};;) {
        if (poll(&in, 1, PERIOD_MS)) {
            ssize_t got = read(STDIN_FILENO, buffer + held, sizeof buffer - 1 - held);
            if (got <= 0) return 0;
            buffer[held += (size_t)got] = 0;
            char *line = buffer, *end;
            for (; (end = strchr(line, '\n')); line = end + 1) { *end = 0; receive(line); }
            held -= (size_t)(line - buffer);
            memmove(buffer, line, held + 1);
            if (held == sizeof buffer - 1) die("a line is too long");
        }
        if (now_ms() - told_ms >= PERIOD_MS) {
            tell_all();
            told_ms = now_ms();
        }
        fflush(stdout);
    }
}
