// SPDX-License-Identifier: LGPL-2.1-or-later
/* Output of initial domains that nobody serves: Xen takes it from their console rings. */
#include "sim/output.h"

#include <errno.h>
#include <string.h>

#include "xen-abi.h"

/* Returns 0, -ESRCH or -ENOENT, as sim_print(). */
static int find_output(struct sim *sim, uint32_t domid, struct sim_output **ret_output)
{
	const struct hl_launch_domain *d = sim_initial_live(sim, domid);

	if (!d)
		return -ESRCH;
	if (!d->console_port)
		return -ENOENT;
	*ret_output = &sim->outputs[d->index];
	return 0;
}

static void keep(struct sim_output *output, const char *text, size_t size)
{
	const size_t room = XEN_HYPERLAUNCH_CONSOLE_KEPT - output->size;
	const size_t kept = size < room ? size : room;

	memcpy(output->text + output->size, text, kept);
	output->size += kept;
	output->dropped += size - kept;
}

int sim_print(struct sim *sim, uint32_t domid, const char *text, uint64_t lines)
{
	struct sim_output *output;
	int r = find_output(sim, domid, &output);

	if (r)
		return r;
	if (!output->text)
		output->text = malloc(XEN_HYPERLAUNCH_CONSOLE_KEPT);
	if (!output->text)
		return -ENOMEM;
	for (uint64_t i = 0; i < lines; i++) {
		keep(output, text, strlen(text));
		keep(output, "\n", 1);
	}
	return 0;
}

int sim_copy_output(struct sim *sim, uint32_t domid, char **ret_text, size_t *ret_size,
		    uint64_t *ret_dropped)
{
	struct sim_output *output;
	int r = find_output(sim, domid, &output);
	char *copy;

	if (r)
		return r;
	copy = calloc(1, output->size + 1);
	if (!copy)
		return -ENOMEM;
	if (output->size)
		memcpy(copy, output->text, output->size);
	*ret_text = copy;
	*ret_size = output->size;
	*ret_dropped = output->dropped;
	return 0;
}

void sim_clear_output(struct sim *sim, uint32_t index)
{
	free(sim->outputs[index].text);
	sim->outputs[index] = (struct sim_output){0};
}

void sim_free_output(struct sim *sim)
{
	for (size_t i = 0; i < ARRAY_SIZE(sim->outputs); i++)
		free(sim->outputs[i].text);
}
