/* Runs a command once and measures it alone: small itself, as a process that is made begins with
 * its maker's size. Usage: run_once REQUEST_FILE COMMAND...; the request is the command's input,
 * the answer goes to stdout, "WALL_US CPU_US PEAK_KB" to stderr. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long in_us(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int argc, char **argv)
{
    int input = argc < 3 ? -1 : open(argv[1], O_RDONLY | O_CLOEXEC);
    long long started = now_us();
    struct rusage used;
    int status = 0;
    pid_t child;

    if (input < 0 || dup2(input, STDIN_FILENO) != STDIN_FILENO ||
        posix_spawn(&child, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
        wait4(child, &status, 0, &used) != child || status != 0)
        return EXIT_FAILURE;
    (void)fprintf(stderr, "%lld %lld %ld\n", now_us() - started,
                  in_us(used.ru_utime) + in_us(used.ru_stime), used.ru_maxrss);
    return EXIT_SUCCESS;
}
