// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sets Xen's handle of a domain. */
#include "common/handle.h"

#include <errno.h>
#include <string.h>
#include <xenctrl.h>

int domain_handle_set(uint32_t domid, const uint8_t uuid[16])
{
	xc_interface *xch = xc_interface_open(NULL, NULL, 0);
	xen_domain_handle_t handle;
	int r = 0;

	if (!xch)
		return errno > 0 ? -errno : -EIO;
	memcpy(handle, uuid, sizeof(handle));
	if (xc_domain_sethandle(xch, domid, handle) < 0)
		r = errno > 0 ? -errno : -EIO;
	xc_interface_close(xch);
	return r;
}
