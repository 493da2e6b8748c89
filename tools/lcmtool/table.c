// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool show --format table: prints an LCM as tables. */
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* --- names ------------------------------------------------------------------ */

/* Lists names of bits, separated by commas; "-" for none. */
static void join_names(uint32_t bits, const char *(*next)(uint32_t *, char *, size_t), char *text,
		       size_t size)
{
	char buf[8];
	const char *name;
	size_t used = 0;

	snprintf(text, size, "-");
	while (used < size && (name = next(&bits, buf, sizeof(buf))))
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", name);
}

/* --- domains ---------------------------------------------------------------- */

static void show_domain(const struct hl_lcm_domain *d)
{
	char permissions[64], functions[96];

	join_names(d->permissions, hl_permission_next, permissions, sizeof(permissions));
	join_names(d->functions, hl_function_next, functions, sizeof(functions));
	printf("%-20s %6" PRIu32 " %5" PRIu32 " %12" PRIu64 " %-10s %-17s %s\n", d->name, d->domid,
	       d->cpus, d->memory_kib, mode_name(d->mode), permissions, functions);
}

static void show_domains(const struct hl_lcm *lcm)
{
	printf("%-20s %6s %5s %12s %-10s %-17s %s\n", "NAME", "DOMID", "VCPUS", "MEMORY/KiB",
	       "MODE", "PERMISSIONS", "FUNCTIONS");
	for (uint32_t i = 0; i < hl_lcm_nr_domains(lcm); i++)
		show_domain(hl_lcm_get_domain(lcm, i));
}

/* --- optional properties ------------------------------------------------------- */

/* Prints a line, and before the first one the heading. */
static void show_property(bool *headed, const char *domain, const char *name, const char *value)
{
	if (!*headed)
		printf("\n%-20s %-12s %s\n", "OF", "PROPERTY", "VALUE");
	*headed = true;
	printf("%-20s %-12s %s\n", domain, name, value);
}

static void show_start_after(bool *headed, const struct hl_lcm *lcm, const struct hl_lcm_domain *d)
{
	for (uint32_t i = 0; i < hl_lcm_nr_domains(lcm); i++)
		if (d->start_after & 1u << i)
			show_property(headed, d->name, "start-after",
				      hl_lcm_get_domain(lcm, i)->name);
}

static bool has_uuid(const struct hl_lcm_domain *d)
{
	for (size_t i = 0; i < sizeof(d->uuid); i++)
		if (d->uuid[i])
			return true;
	return false;
}

static bool has_devices(const struct hl_lcm *lcm, uint32_t domain)
{
	for (uint32_t i = 0; i < hl_lcm_nr_pci(lcm); i++)
		if (hl_lcm_get_pci(lcm, i)->domain == domain)
			return true;
	for (uint32_t i = 0; i < hl_lcm_nr_disks(lcm); i++)
		if (hl_lcm_get_disk(lcm, i)->domain == domain)
			return true;
	for (uint32_t i = 0; i < hl_lcm_nr_nics(lcm); i++)
		if (hl_lcm_get_nic(lcm, i)->domain == domain)
			return true;
	return false;
}

static void show_restart(bool *headed, const struct hl_lcm_domain *d)
{
	char text[64];

	if (!strcmp(d->restart, "never"))
		return;
	snprintf(text, sizeof(text), "%s, at most %" PRIu32 " times in ten minutes", d->restart,
		 d->restart_limit);
	show_property(headed, d->name, "restart", text);
}

static void show_properties(const struct hl_lcm *lcm)
{
	char uuid[HL_UUID_TEXT_SIZE];
	bool headed = false;

	for (uint32_t i = 0; i < hl_lcm_nr_domains(lcm); i++) {
		const struct hl_lcm_domain *d = hl_lcm_get_domain(lcm, i);

		show_start_after(&headed, lcm, d);
		if (d->hold || has_devices(lcm, i))
			show_property(&headed, d->name, "hold",
				      has_devices(lcm, i) ? "until its devices are assigned"
							  : "until a control domain releases it");
		if (has_uuid(d)) {
			hl_uuid_to_text(d->uuid, uuid);
			show_property(&headed, d->name, "domain-uuid", uuid);
		}
		if (d->security_id)
			show_property(&headed, d->name, "security-id", d->security_id);
		show_restart(&headed, d);
	}
}

/* --- modules ------------------------------------------------------------------ */

static void show_module(const char *name, const struct hl_lcm_module *m)
{
	char where[64] = "-", digest[HL_SHA256_TEXT_SIZE] = "-";

	if (m->index != HL_NO_INDEX)
		snprintf(where, sizeof(where), "%" PRIu32, m->index);
	else if (m->size)
		snprintf(where, sizeof(where), "%#" PRIx64 "+%#" PRIx64, m->addr, m->size);
	if (m->digest_sha256)
		hl_sha256_to_text(m->digest_sha256, digest);
	printf("%-20s %-12s %-24s %-20s %s\n", name, hl_module_type_name(m->type), where,
	       m->file ? m->file : "-", digest);
}

static void show_modules(const struct hl_lcm *lcm)
{
	const struct hl_lcm_module *m;

	printf("\n%-20s %-12s %-24s %-20s %s\n", "OF", "MODULE", "WHERE", "FILE", "SHA-256");
	for (uint32_t i = 0; i < hl_lcm_nr_modules(lcm); i++) {
		const struct hl_lcm_domain *d;

		m = hl_lcm_get_module(lcm, i);
		d = hl_lcm_get_domain(lcm, m->domain);
		show_module(d ? d->name : "(Xen)", m);
	}
	for (uint32_t i = 0; (m = hl_lcm_get_classic_module(lcm, i)); i++)
		show_module("(classic dom0)", m);
	if (hl_lcm_get_classic_module(lcm, 0))
		printf("\nIn addition Xen builds a classic dom0, with all permissions.\n");
}

/* --- devices ------------------------------------------------------------------ */

/* "class 0x020000, vendor 0x8086" */
static void add_number(FILE *f, const char **comma, const char *name, uint32_t value, int digits)
{
	if (value == HL_NO_INDEX)
		return;
	fprintf(f, "%s%s %#0*" PRIx32, *comma, name, digits + 2, value);
	*comma = ", ";
}

static void add_devices(FILE *f, const struct hl_lcm_pci *p)
{
	const char *comma = "";

	if (p->bdf) {
		fputs(p->bdf, f);
	} else if (p->path) {
		fprintf(f, "path %s", p->path);
	} else if (p->pf) {
		fprintf(f, "VF %" PRIu32 " of %s", p->vf, p->pf);
	} else {
		add_number(f, &comma, "class", p->class_code, 6);
		add_number(f, &comma, "vendor", p->vendor, 4);
		add_number(f, &comma, "device", p->device, 4);
		if (p->count)
			fprintf(f, "%sat most %" PRIu32, comma, p->count);
	}
}

static void show_pci(const struct hl_lcm *lcm)
{
	if (hl_lcm_nr_pci(lcm))
		printf("\n%-20s %s\n", "OF", "PCI DEVICES");
	for (uint32_t i = 0; i < hl_lcm_nr_pci(lcm); i++) {
		const struct hl_lcm_pci *p = hl_lcm_get_pci(lcm, i);

		printf("%-20s ", hl_lcm_get_domain(lcm, p->domain)->name);
		add_devices(stdout, p);
		if (p->slot != HL_NO_INDEX)
			printf(", slot %" PRIu32, p->slot);
		printf("%s%s%s\n", p->optional ? ", optional" : "",
		       p->permissive ? ", permissive" : "", p->no_reset ? ", no reset" : "");
	}
}

static void show_vcpus(const struct hl_lcm *lcm)
{
	if (hl_lcm_nr_vcpus(lcm))
		printf("\n%-20s %5s %s\n", "OF", "VCPU", "CPUS");
	for (uint32_t i = 0; i < hl_lcm_nr_vcpus(lcm); i++) {
		const struct hl_lcm_vcpu *v = hl_lcm_get_vcpu(lcm, i);

		printf("%-20s %5" PRIu32 " %s\n", hl_lcm_get_domain(lcm, v->domain)->name, v->id,
		       v->hard_affinity ? v->hard_affinity : "any");
	}
}

static const char *backend_name(const struct hl_lcm *lcm, uint32_t backend)
{
	const struct hl_lcm_domain *d = hl_lcm_get_domain(lcm, backend);

	return d ? d->name : "-";
}

static void show_disks(const struct hl_lcm *lcm)
{
	if (hl_lcm_nr_disks(lcm))
		printf("\n%-20s %-8s %-6s %-20s %s\n", "OF", "DISK", "FORMAT", "BACKEND", "PATH");
	for (uint32_t i = 0; i < hl_lcm_nr_disks(lcm); i++) {
		const struct hl_lcm_disk *d = hl_lcm_get_disk(lcm, i);

		printf("%-20s %-8s %-6s %-20s %s%s\n", hl_lcm_get_domain(lcm, d->domain)->name,
		       d->vdev, d->format, backend_name(lcm, d->backend), d->path,
		       d->read_only ? ", read-only" : "");
	}
}

static void show_nics(const struct hl_lcm *lcm)
{
	if (hl_lcm_nr_nics(lcm))
		printf("\n%-20s %-17s %-20s %s\n", "OF", "NIC", "BACKEND", "BRIDGE");
	for (uint32_t i = 0; i < hl_lcm_nr_nics(lcm); i++) {
		const struct hl_lcm_nic *n = hl_lcm_get_nic(lcm, i);

		printf("%-20s %-17s %-20s %s\n", hl_lcm_get_domain(lcm, n->domain)->name,
		       n->mac ? n->mac : "any", backend_name(lcm, n->backend),
		       n->bridge ? n->bridge : "-");
	}
}

enum exit_code show_table(const struct hl_lcm *lcm)
{
	show_domains(lcm);
	show_properties(lcm);
	show_modules(lcm);
	show_pci(lcm);
	show_disks(lcm);
	show_nics(lcm);
	show_vcpus(lcm);
	return EXIT_OK;
}
