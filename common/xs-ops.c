// SPDX-License-Identifier: LGPL-2.1-or-later
/* The table of libxenstore's own calls. */
#include "common/xs-ops.h"

const struct xs_ops xs_ops_real = {
	.transaction_start = xs_transaction_start,
	.transaction_end = xs_transaction_end,
	.read = xs_read,
	.write = xs_write,
	.mkdir = xs_mkdir,
	.rm = xs_rm,
	.set_permissions = xs_set_permissions,
	.introduce_domain = xs_introduce_domain,
	.is_domain_introduced = xs_is_domain_introduced,
};
