/* record DISK N INTERVAL BOOTID SLOTS - the loop of beat: writes record N, N+1, ... and says each number once it is stable.
 *
 * A program of its own, not a shell's loop, because it measures how long a guest stands still: a shell starts a process
 * for each record, and without KVM the code of that (fork, exec, exit) is translated anew after a migration, which takes
 * longer than the migration. It uses the kernel alone (no C library), so that tcc and nothing else is needed to build it.
 * The form of a record is described in `beat`. Ends by itself only for wrong arguments (2) or a disk it cannot open (1).
 */
typedef unsigned long ulong;

enum { LINE = 64, SIZE = 4096, O_WRONLY = 1, SYS_write = 1, SYS_open = 2, SYS_pwrite64 = 18, SYS_nanosleep = 35, SYS_exit = 60, SYS_fdatasync = 75 };

/* Written in assembler as a whole: tcc has no register variables for the fourth argument. */
long call(long number, long a, long b, long c, long d);
__asm__(
    ".globl call\n"
    "call:\n"
    "mov %rdi,%rax\n"
    "mov %rsi,%rdi\n"
    "mov %rdx,%rsi\n"
    "mov %rcx,%rdx\n"
    "mov %r8,%r10\n"
    "syscall\n"
    "ret\n"
    ".globl _start\n"
    "_start:\n"
    "mov %rsp,%rdi\n"
    "and $-16,%rsp\n"
    "call begin\n");

static char record[SIZE] __attribute__((aligned(4096)));

static ulong length(const char *text) { ulong n = 0; while (text[n]) n++; return n; }
static void say(const char *text) { call(SYS_write, 1, (long)text, length(text), 0); }
static void leave(int code) { call(SYS_exit, code, 0, 0, 0); }

static ulong number(const char *text)
{
    ulong n = 0;
    if (!*text) leave(2);
    for (; *text; text++) {
        if (*text < '0' || *text > '9') leave(2);
        n = n * 10 + (*text - '0');
    }
    return n;
}

/* "0.05" as nanoseconds */
static ulong nanoseconds(const char *text)
{
    ulong n = 0, unit = 1000000000;
    for (; *text && *text != '.'; text++) {
        if (*text < '0' || *text > '9') leave(2);
        n = n * 10 + (*text - '0');
    }
    n *= unit;
    if (*text == '.')
        for (text++; *text && unit > 1; text++) {
            if (*text < '0' || *text > '9') leave(2);
            unit /= 10;
            n += (*text - '0') * unit;
        }
    return n;
}

/* The number in decimal; returns what is behind it. */
static char *decimal(char *to, ulong n)
{
    char digits[20];
    int count = 0;
    do digits[count++] = '0' + n % 10; while (n /= 10);
    while (count) *to++ = digits[--count];
    return to;
}

static char *hexadecimal(char *to, unsigned n)
{
    for (int shift = 28; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[n >> shift & 15];
    return to;
}

static char *text(char *to, const char *from) { while (*from) *to++ = *from++; return to; }

static unsigned head(const char *boot)
{
    unsigned n = 0;
    for (int i = 0; i < 8; i++) {
        char c = boot[i];
        if (c >= '0' && c <= '9') n = n << 4 | c - '0';
        else if (c >= 'a' && c <= 'f') n = n << 4 | c - 'a' + 10;
        else leave(2);
    }
    return n;
}

static void sleep(ulong nanoseconds)
{
    long time[2] = { nanoseconds / 1000000000, nanoseconds % 1000000000 };
    call(SYS_nanosleep, (long)time, 0, 0, 0);
}

void begin(long *stack)
{
    char **arguments = (char **)(stack + 1);
    char said[40];
    if (stack[0] != 6 || length(arguments[4]) != 36) leave(2);
    ulong n = number(arguments[2]), interval = nanoseconds(arguments[3]), slots = number(arguments[5]);
    const char *boot = arguments[4];
    if (n == 0 || n > 999999999999 || slots == 0) leave(2);
    unsigned seed = head(boot);
    long disk = call(SYS_open, (long)arguments[1], O_WRONLY, 0, 0);
    if (disk < 0) {
        say("beat: the disk cannot be opened\n");
        leave(1);
    }
    for (;;) {
        char *end = text(record, "beat ");
        end = decimal(end, n);
        *end++ = ' ';
        end = text(end, boot);
        *end++ = ' ';
        end = hexadecimal(end, (unsigned)(n * 7919) + seed);
        while (end < record + LINE - 1) *end++ = ' ';
        *end = '\n';
        for (int i = LINE / 8; i < SIZE / 8; i++) ((ulong *)record)[i] = ((ulong *)record)[i - LINE / 8];
        if (call(SYS_pwrite64, disk, (long)record, SIZE, n % slots * SIZE) == SIZE && call(SYS_fdatasync, disk, 0, 0, 0) == 0) {
            char *to = decimal(text(said, "beat "), n);
            *to++ = '\n';
            *to = 0;
            say(said);
            n++;
            sleep(interval);
        } else {
            say("beat: write error\n");
            sleep(1000000000);
        }
    }
}
