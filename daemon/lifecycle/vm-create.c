// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes the order, with a descriptor for each thing that the domain is made of. */
#include "lifecycle/vm-create.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/sealed.h"
#include "jobs/job.h"

#define MAX_FDS 3

/* The descriptors that there are, and their names in the order. */
static size_t list_fds(const struct vm_creation *creation, int config, json_object *names,
		       int fds[MAX_FDS])
{
	const struct {
		const char *name;
		int fd;
	} all[MAX_FDS] = {
		{"config", config},
		{"kernel", creation->kernel},
		{"ramdisk", creation->ramdisk},
	};
	size_t nr = 0;

	for (size_t i = 0; i < MAX_FDS; i++) {
		if (all[i].fd < 0)
			continue;
		if (json_object_array_add(names, json_object_new_string(all[i].name)) < 0)
			return 0;
		fds[nr++] = all[i].fd;
	}
	return nr;
}

int vm_create_start(const struct vms *vms, struct job *job, struct vm_order *order,
		    const struct vm_creation *creation)
{
	_cleanup_(closep) int config =
		sealed_memfd("vm-config", creation->config, strlen(creation->config));
	json_object *members = vm_members(job->subject.uuid), *names = json_object_new_array();
	struct vm_request request = {.name = "create", .sandbox = creation->sandbox};
	int fds[MAX_FDS], r = members ? json_add(members, "fds", names) : -ENOMEM;

	if (!members)
		json_object_put(names);
	if (r == 0)
		r = json_add(members, "start", json_object_new_boolean(creation->start));
	if (r == 0)
		r = json_add(members, "keep", json_object_new_boolean(creation->keep));
	if (r == 0)
		request.nr_fds = list_fds(creation, config, names, fds);
	if (r < 0 || config < 0 || request.nr_fds == 0) {
		json_object_put(members);
		return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	}
	request.members = members;
	request.fds = fds;
	return vm_order_start(vms, job, order, &request);
}
