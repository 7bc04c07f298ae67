/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The terminal of `top`.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "screen.h"
#include "util.h"

/* Another screen, no cursor, long lines cut; and back. */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

static int say(const char *text)
{
    return cl_write_all(STDOUT_FILENO, text, strlen(text));
}

/* Keys one by one, and unseen. Ctrl-C and Ctrl-Z remain signals. */
static int take(const struct screen *screen)
{
    struct termios modes = screen->modes;

    modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    if (screen->keys && tcsetattr(STDIN_FILENO, TCSADRAIN, &modes) < 0)
        return -errno;
    return say(enter);
}

static void give_back(const struct screen *screen)
{
    (void)!say(leave);
    if (screen->keys)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &screen->modes);
}

/* Those that are ignored stay so: nohup(1), and what a shell starts in the background. */
static int catch_signals(int *ret_fd)
{
    static const int signals[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < CL_ARRAY_SIZE(signals); i++) {
        struct sigaction now;

        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            (void)sigaddset(&set, signals[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_fd < 0 ? -errno : 0;
}

int screen_open(struct screen *ret)
{
    struct screen screen = {.signals = -1, .keys = isatty(STDIN_FILENO)};
    int r;

    if (screen.keys && tcgetattr(STDIN_FILENO, &screen.modes) < 0)
        return -errno;
    r = catch_signals(&screen.signals);
    if (r == 0)
        r = take(&screen);
    if (r < 0) {
        give_back(&screen);
        cl_close(&screen.signals);
        return r;
    }
    *ret = screen;
    return 0;
}

void screen_close(struct screen *screen)
{
    if (screen->signals < 0)
        return;
    give_back(screen);
    cl_close(&screen->signals);
}

void screen_size(unsigned *ret_width, unsigned *ret_rows)
{
    struct winsize size = {0};

    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *ret_width = size.ws_col > 0 ? size.ws_col : 80;
    *ret_rows = size.ws_row > 0 ? size.ws_row : 24;
}

int screen_draw(const char *text)
{
    int r = say("\033[H");

    if (r == 0)
        r = say(text);
    return r < 0 ? r : say("\033[J");
}

/* As anyone whom Ctrl-Z stops: the terminal is the shell's meanwhile. */
static enum screen_event stop(const struct screen *screen)
{
    sigset_t set;

    give_back(screen);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTSTP);
    (void)raise(SIGTSTP);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* here we stand, until SIGCONT */
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return take(screen) < 0 ? SCREEN_QUIT : SCREEN_AGAIN;
}

static enum screen_event read_signal(const struct screen *screen)
{
    struct signalfd_siginfo signal;

    if (read(screen->signals, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
        return SCREEN_AGAIN;
    switch ((int)signal.ssi_signo) {
    case SIGTSTP:
        return stop(screen);
    case SIGCONT: /* who stopped us, by SIGSTOP, may have changed the terminal */
        return take(screen) < 0 ? SCREEN_QUIT : SCREEN_AGAIN;
    case SIGWINCH:
        return SCREEN_AGAIN;
    default:
        return SCREEN_QUIT;
    }
}

/* -1: a key that means nothing. */
static int read_key(void)
{
    char key = '\0';
    ssize_t n = read(STDIN_FILENO, &key, 1);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return -1;
    if (n <= 0 || key == 'q' || key == 'Q')
        return SCREEN_QUIT;
    return key == ' ' ? SCREEN_TIME : -1;
}

enum screen_event screen_wait(const struct screen *screen, int64_t until_ms)
{
    struct pollfd fds[] = {{.fd = screen->signals, .events = POLLIN},
                           {.fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN}};

    for (;;) {
        int64_t left = until_ms - cl_now_ms();
        int n, key;

        if (left <= 0)
            return SCREEN_TIME;
        n = poll(fds, CL_ARRAY_SIZE(fds), (int)left);
        if (n < 0 && errno != EINTR)
            return SCREEN_QUIT;
        if (n > 0 && fds[0].revents)
            return read_signal(screen);
        if (n > 0 && fds[1].revents && (key = read_key()) >= 0)
            return (enum screen_event)key;
    }
}
