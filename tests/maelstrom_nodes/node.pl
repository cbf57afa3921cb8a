#!/usr/bin/perl
# A Maelstrom node in Perl without any module: node.pl echo | unique-ids | broadcast | g-set | g-counter | pn-counter | lin-kv
# JSON is taken apart by patterns, as far as these workloads need it.
use strict;
use warnings;

$| = 1;
my $workload = shift;
my ($me, @others, %set, %sums, %asked);
my $next = 0;
my $period_s = 0.2;    # of telling everybody everything: what a broken link lost is made good so

sub say_to { my ($dest, $body) = @_; print qq({"src":"$me","dest":"$dest","body":{$body}}\n); }

sub listed { return '[' . join(',', sort keys %set) . ']'; }

sub total { my $sum = 0; $sum += $_ for values %sums; return $sum; }

sub gossip {
    return unless defined $me;
    my $body = %set ? '"type":"share","set":' . listed() : %sums ? qq("type":"sum","of":) . ($sums{$me} // 0) : return;
    say_to($_, $body) for @others;
}

my %requests = (
    echo        => sub { my ($line) = @_; $line =~ /"echo":("(?:[^"\\]|\\.)*"|[^,}]+)/; return qq("type":"echo_ok","echo":$1) },
    generate    => sub { return sprintf '"type":"generate_ok","id":"%s/%d"', $me, $next++ },
    topology    => sub { return '"type":"topology_ok"' },
    broadcast   => sub { my ($line) = @_; $line =~ /"message":([^,}]+)/; $set{$1} = 1; gossip(); return '"type":"broadcast_ok"' },
    share       => sub { my ($line) = @_; $line =~ /"set":\[([^\]]*)\]/; $set{$_} = 1 for split /,/, $1; return },
    sum         => sub { my ($line, $src) = @_; $line =~ /"of":(-?\d+)/; $sums{$src} = $1; return },
    'g-set add' => sub { my ($line) = @_; $line =~ /"element":([^,}]+)/; $set{$1} = 1; gossip(); return '"type":"add_ok"' },
    add         => sub { my ($line) = @_; $line =~ /"delta":(-?\d+)/; $sums{$me} += $1; gossip(); return '"type":"add_ok"' },
    'broadcast read' => sub { return '"type":"read_ok","messages":' . listed() },
    'g-set read'     => sub { return '"type":"read_ok","value":' . listed() },
    'g-counter read' => sub { return '"type":"read_ok","value":' . total() },
    'pn-counter read' => sub { return '"type":"read_ok","value":' . total() },
);

# A request of lin-kv goes to the service of that name, under a number of our own; the answer comes back under it.
sub forward {
    my ($line, $src) = @_;
    my ($body) = $line =~ /"body":(\{.*\})\}\s*$/;
    $body =~ s/"msg_id":(\d+)/"msg_id":$next/;
    $asked{$next++} = [$src, $1];
    print qq({"src":"$me","dest":"lin-kv","body":$body}\n);
}

sub backward {
    my ($line) = @_;
    my ($body) = $line =~ /"body":(\{.*\})\}\s*$/;
    $body =~ /"in_reply_to":(\d+)/;
    my ($src, $id) = @{ delete $asked{$1} };
    $body =~ s/"in_reply_to":\d+/"in_reply_to":$id/;
    print qq({"src":"$me","dest":"$src","body":$body}\n);
}

sub receive {
    my ($line) = @_;
    my ($src)  = $line =~ /"src":"([^"]*)"/;
    my ($type) = $line =~ /"type":"([^"]*)"/;
    my ($id)   = $line =~ /"msg_id":(\d+)/;
    if ($type eq 'init') {
        ($me) = $line =~ /"node_id":"([^"]*)"/;
        my ($ids) = $line =~ /"node_ids":\[([^\]]*)\]/;
        @others = grep { $_ ne $me } $ids =~ /"([^"]*)"/g;
        return say_to($src, qq("type":"init_ok","in_reply_to":$id));
    }
    return backward($line) if $src eq 'lin-kv';
    return forward($line, $src) if $workload eq 'lin-kv';
    my $handler = $requests{"$workload $type"} // $requests{$type};
    my $reply = $handler ? $handler->($line, $src) : qq("type":"error","code":10,"text":"$workload has no $type");
    say_to($src, qq($reply,"in_reply_to":$id)) if defined $reply && defined $id;
}

# Lines come through our own buffer, since select knows nothing of Perl's.
my $buffer = '';
while (1) {
    my $ready = '';
    vec($ready, fileno(STDIN), 1) = 1;
    if (select($ready, undef, undef, $period_s)) {
        my $read = sysread STDIN, $buffer, 65536, length $buffer;
        last unless $read;
        receive($1) while $buffer =~ s/^([^\n]*)\n//;
    }
    else { gossip() }    # nothing has come for a while
}
