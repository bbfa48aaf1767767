/* What runs in the node's containers: waits to be told to end. */
#include <signal.h>
#include <unistd.h>

static void end(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

int main(void)
{
    (void)signal(SIGTERM, end);
    (void)signal(SIGINT, end);
    for (;;)
        (void)pause();
}
