// SPDX-License-Identifier: LGPL-2.1-or-later
/* The control socket: one command per datagram, one datagram as its reply. */
#include "sim/control.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "sim/command.h"

#define MAX_COMMAND  4096
#define MAX_PER_TURN 64 /* commands in one hl_process(): its caller has other work */

static int make_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

/* Whether the path is a socket that no process serves. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int bind_private(int fd, const struct sockaddr_un *address)
{
	/* Linux creates the node with the mode of the socket. */
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	return 0;
}

static int bind_control(struct sim *sim, const char *path)
{
	struct sockaddr_un address;
	int r = make_address(path, &address);

	if (r)
		return r;
	r = bind_private(sim->control_fd, &address);
	if (r == -EADDRINUSE && is_stale(&address) && !unlink(path))
		r = bind_private(sim->control_fd, &address);
	if (r)
		return r;
	/* Set only now: sim_control_close() must not remove the socket of another process. */
	sim->control_path = strdup(path);
	if (!sim->control_path) {
		(void)unlink(path);
		return -ENOMEM;
	}
	return 0;
}

int sim_control_open(struct sim *sim, const char *path)
{
	struct epoll_event event = {.events = EPOLLIN};
	int r;

	sim->control_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sim->control_fd < 0)
		return -errno;
	r = bind_control(sim, path);
	if (!r && epoll_ctl(sim->epoll_fd, EPOLL_CTL_ADD, sim->control_fd, &event) < 0)
		r = -errno;
	if (r)
		logger_log(&sim->logger, LOG_ERR, "%s: %s", path, strerrordesc_np(-r));
	return r;
}

void sim_control_close(struct sim *sim)
{
	if (sim->control_path)
		(void)unlink(sim->control_path);
	free(sim->control_path);
	sim->control_path = NULL;
	if (sim->control_fd >= 0)
		close(sim->control_fd);
	sim->control_fd = -1;
}

static void answer(struct sim *sim, const struct sockaddr_un *peer, socklen_t peer_size,
		   const char *text)
{
	if (peer_size <= sizeof(sa_family_t))
		return; /* the sender has no address */
	if (sendto(sim->control_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		   (const struct sockaddr *)peer, peer_size) < 0)
		logger_log(&sim->logger, LOG_DEBUG, "sim: answer lost: %s", strerrordesc_np(errno));
}

/* Runs one command.  Returns false if none has arrived. */
static bool serve_one(struct sim *sim)
{
	struct sockaddr_un peer;
	socklen_t peer_size = sizeof(peer);
	_cleanup_(freep) char *reply = NULL;
	char command[MAX_COMMAND + 1];
	ssize_t size;

	size = recvfrom(sim->control_fd, command, MAX_COMMAND, MSG_TRUNC, (struct sockaddr *)&peer,
			&peer_size);
	if (size < 0)
		return errno == EINTR;
	if (size > MAX_COMMAND) {
		answer(sim, &peer, peer_size, "error EMSGSIZE command too long");
		return true;
	}
	command[size] = '\0';
	if (strlen(command) != (size_t)size) {
		answer(sim, &peer, peer_size, "error EINVAL NUL in the command");
		return true;
	}
	/* A failure is reported to the sender. */
	(void)sim_command(sim, command, &reply);
	logger_log(&sim->logger, LOG_DEBUG, "sim: '%s': %s", command, reply ? reply : "?");
	answer(sim, &peer, peer_size, reply ? reply : "error ENOMEM no memory for the reply");
	return true;
}

void sim_control_serve(struct sim *sim)
{
	for (int i = 0; i < MAX_PER_TURN && serve_one(sim); i++)
		;
}
