// SPDX-License-Identifier: LGPL-2.1-or-later
/* Opens pseudo terminals. */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "util.h"

static int make_raw(int slave)
{
	struct termios mode;

	if (tcgetattr(slave, &mode) < 0)
		return -errno;
	cfmakeraw(&mode);
	return tcsetattr(slave, TCSANOW, &mode) < 0 ? -errno : 0;
}

/* Group and mode of the node are those that /dev/pts is mounted with, as for each other terminal.
 */
int pty_open(struct pty *ret_pty)
{
	_cleanup_(closep) int master = -1;
	_cleanup_(closep) int slave = -1;
	int r;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -errno;
	r = ptsname_r(master, ret_pty->path, sizeof(ret_pty->path));
	if (r != 0)
		return -r;
	slave = open(ret_pty->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	r = make_raw(slave);
	if (r < 0)
		return r;
	ret_pty->master = steal_fd(&master);
	ret_pty->slave = steal_fd(&slave);
	return 0;
}

int pty_adopt(int master, int slave, struct pty *ret_pty)
{
	int r = ptsname_r(master, ret_pty->path, sizeof(ret_pty->path));

	ret_pty->master = master;
	ret_pty->slave = slave;
	if (r != 0)
		pty_close(ret_pty);
	return -r;
}

void pty_close(struct pty *pty)
{
	closep(&pty->master);
	closep(&pty->slave);
	*pty = (struct pty){.master = -1, .slave = -1};
}
