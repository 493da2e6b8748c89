/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pseudo terminal in raw mode. */
#ifndef CONSOLED_PTY_H
#define CONSOLED_PTY_H

#define PTY_PATH_SIZE 64

struct pty {
	int master; /* does not block */
	int slave;  /* kept open: without one the master would hang up */
	char path[PTY_PATH_SIZE];
};

int pty_open(struct pty *ret_pty);

/* Of the two descriptors of an earlier process, which it takes over, also on failure. */
int pty_adopt(int master, int slave, struct pty *ret_pty);

void pty_close(struct pty *pty);

#endif
