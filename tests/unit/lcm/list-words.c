// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the parser's tables have, a line each, for the test that holds lcm(5) against them. */
#include <stdio.h>

#include <xen/lib/hyperlaunch/lcm.h>

static void list_properties(void)
{
	const char *name;
	uint32_t kinds;

	for (unsigned int i = 0; (name = lcm_property(i, &kinds)); i++)
		for (int kind = 0; kind < LCM_NR_NODE_KINDS; kind++)
			if (kinds & 1u << kind)
				printf("property\t%s\t%s\n", lcm_node_kind_name(kind), name);
}

int main(void)
{
	list_properties();
	for (int i = 1; i < LCM_NR_ERRS; i++)
		printf("error\t%s\t%s\n", lcm_errname(i), lcm_strerror(i));
	for (int i = 1; i < LCM_NR_WARNS; i++)
		printf("warning\t%d\t%s\n", i, lcm_strwarning(i));
	for (int i = 0; i < LCM_NR_MODULE_TYPES; i++)
		printf("type\t%s\t\n", lcm_module_type_name(i));
	for (int i = 0; i < LCM_NR_RESTARTS; i++)
		printf("restart\t%s\t\n", lcm_restart_name(i));
	return 0;
}
