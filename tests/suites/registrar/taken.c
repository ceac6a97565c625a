/* Addresses that somebody has, or had: two tests fail, and say who it is. */
#include "tests/suites/registrar/doggies.h"

#include <sys/socket.h>
#include <sys/un.h>

static void ask_there(void)
{
    NURSERY(n)
    {
        mx_registrar(n, MX_ONE_OF_A_NAME);
        ASSERT_NULL(mx_find("anybody"));
    }
}

TEST(by_a_listener, .leaks = "fds")
{
    mx_listen(mx_reg_addr().url);
    ask_there();
}

ROLE(squatter)
{
    char url[200];
};

ACTOR(squatter)
{
    mx_listen(args->url);
    says(mx_parent(), "here");
    mx_receive(mx_parent(), NULL);
}

TEST(by_another_process, .leaks = "fds")
{
    struct squatter_role told = {""};

    snprintf(told.url, sizeof told.url, "%s", mx_reg_addr().url);
    NURSERY(n)
    {
        struct mx_actor *squatter = mx_spawn_at(MX_HERE, n, &mx_role_squatter, "squatter", &told, true);

        ASSERT_STR_EQ(hears(mx_peer_of(squatter)), "here");
        ask_there();
    }
}

/* What somebody has left who was killed: a file, with nobody behind it. */
TEST(by_nobody, .leaks = "fds")
{
    const char *path = mx_reg_addr().path;

    if (path) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        int fd = ASSERT_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

        snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
        ASSERT_OK(bind(fd, (const struct sockaddr *)&at, sizeof at));
        ASSERT_OK(listen(fd, 1));
        close(fd);
    }
    ask_there();
}
