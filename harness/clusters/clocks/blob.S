# The clock functions that stand in for those of the vDSO (vdso(7)) in a process whose wall clock is wrong. x86-64, System V ABI.
#
# Position independent; only registers that a callee may spoil. The bytes stand in blob.py; to make them again:
#
#     as -o blob.o blob.S && objcopy -O binary -j .text blob.o blob.bin
#
# The data come first. An entry holds offset (ns), since (ns since the epoch), rate (how much too fast, times 2^32), strobe period (ns).
# The harness fills an entry that is not in use and then stores its distance in "live", eight aligned bytes: no thread sees half of both.
.text
live:       .quad 8
entries:    .fill 16, 8, 0              # four entries of four numbers
clocks:     .quad 0x821                 # the clocks that are skewed, by their bits: REALTIME, REALTIME_COARSE, TAI

# int clock_gettime(clockid_t %edi, struct timespec *%rsi)
clock_gettime:
        mov     $228, %eax
        syscall
        test    %eax, %eax
        jnz     1f
        cmp     $31, %edi
        ja      1f
        mov     clocks(%rip), %ecx
        bt      %edi, %ecx
        jnc     1f
        call    skew
        xor     %eax, %eax
1:      ret

# The true time in *%rsi becomes the wrong one.
skew:
        mov     (%rsi), %rax
        imul    $1000000000, %rax, %rax
        add     8(%rsi), %rax
        mov     %rax, %r9               # now
        lea     live(%rip), %r8
        add     (%r8), %r8              # the live entry
        sub     8(%r8), %rax            # since when
        mov     24(%r8), %rcx
        test    %rcx, %rcx
        jz      1f
        mov     %rax, %r10
        cqto
        idiv    %rcx
        test    $1, %al
        jnz     3f                      # every other period shows the truth
        mov     %r10, %rax
1:      imulq   16(%r8)
        shrd    $32, %rdx, %rax
        add     (%r8), %rax
        add     %r9, %rax
        cqto
        mov     $1000000000, %ecx
        idiv    %rcx
        test    %rdx, %rdx
        jns     2f
        add     %rcx, %rdx
        dec     %rax
2:      mov     %rax, (%rsi)
        mov     %rdx, 8(%rsi)
3:      ret

# int gettimeofday(struct timeval *%rdi, struct timezone *%rsi)
gettimeofday:
        test    %rsi, %rsi
        jz      1f
        movq    $0, (%rsi)
1:      test    %rdi, %rdi
        jz      2f
        push    %rdi
        sub     $16, %rsp
        call    now
        mov     8(%rsp), %rax
        xor     %edx, %edx
        mov     $1000, %ecx
        div     %rcx
        mov     (%rsp), %rdx
        add     $16, %rsp
        pop     %rdi
        mov     %rdx, (%rdi)
        mov     %rax, 8(%rdi)
2:      xor     %eax, %eax
        ret

# time_t time(time_t *%rdi)
time:
        push    %rdi
        sub     $16, %rsp
        call    now
        mov     (%rsp), %rax
        add     $16, %rsp
        pop     %rdi
        test    %rdi, %rdi
        jz      1f
        mov     %rax, (%rdi)
1:      ret

# The wrong time, into the sixteen bytes below the caller's stack pointer's return address.
now:
        xor     %edi, %edi
        lea     8(%rsp), %rsi
        mov     $228, %eax
        syscall
        jmp     skew
