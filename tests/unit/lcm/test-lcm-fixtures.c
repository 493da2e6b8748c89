// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each rule of the LCM has a fixture that breaks it, and each fixture says in
 * expect.txt what it is to be refused for; expect-ok.txt says what good ones mean.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "lcm-invariants.h"

#define MAX_FIXTURES 512
#define MAX_LINE     512

/* One line of expect.txt, or the lines of one launch of expect-ok.txt. */
struct fixture {
	char name[128];
	char line[MAX_LINE]; /* what follows the name */
	char domains[LCM_MAX_DOMAINS][MAX_LINE];
	unsigned int nr_domains;
	char args[MAX_LINE];
};

static struct fixture fixtures[MAX_FIXTURES];
static struct CMUnitTest tests[MAX_FIXTURES + 16];
static size_t nr_fixtures, nr_tests;
static bool raised[LCM_NR_ERRS];

/* --- the lists ------------------------------------------------------------ */

static FILE *open_list(const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fixture_source_dir, name);
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static struct fixture *add_fixture(const char *name, const char *line)
{
	struct fixture *fixture = &fixtures[nr_fixtures++];
	const char *args = strstr(line, " --");

	if (nr_fixtures == MAX_FIXTURES) {
		fprintf(stderr, "too many fixtures\n");
		exit(1);
	}
	snprintf(fixture->name, sizeof(fixture->name), "%s", name);
	snprintf(fixture->args, sizeof(fixture->args), "%s", args ? args + 1 : "");
	snprintf(fixture->line, sizeof(fixture->line), "%.*s",
		 args ? (int)(args - line) : (int)strlen(line), line);
	return fixture;
}

static void read_bad(CMUnitTestFunction function)
{
	char line[MAX_LINE];
	FILE *f = open_list("expect.txt");

	while (fgets(line, sizeof(line), f)) {
		char *rest;

		line[strcspn(line, "\n")] = '\0';
		rest = strchr(line, ' ');
		if (strncmp(line, "bad-", 4) != 0 || !rest)
			continue;
		*rest++ = '\0';
		tests[nr_tests].initial_state = add_fixture(line, rest);
		tests[nr_tests].name = fixtures[nr_fixtures - 1].name;
		tests[nr_tests++].test_func = function;
	}
	fclose(f);
}

static void read_ok(CMUnitTestFunction function)
{
	struct fixture *fixture = NULL;
	char line[MAX_LINE], name[128];
	FILE *f = open_list("expect-ok.txt");
	int used;

	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "launch %127s %n", name, &used) == 1) {
			fixture = add_fixture(name, line + used);
			tests[nr_tests].initial_state = fixture;
			tests[nr_tests].name = fixture->name;
			tests[nr_tests++].test_func = function;
		} else if (fixture && !strncmp(line, "domain ", 7)) {
			snprintf(fixture->domains[fixture->nr_domains++], MAX_LINE, "%s", line + 7);
		}
	}
	fclose(f);
}

static bool take_number(const char *arg, const char *option, uint64_t *ret_value)
{
	size_t len = strlen(option);

	if (strncmp(arg, option, len) != 0)
		return false;
	*ret_value = strtoull(arg + len, NULL, 0);
	return true;
}

static void take_arg(const char *arg, struct lcm_limits *limits, bool *ret_guess)
{
	uint64_t n;

	if (!strcmp(arg, "--platform=arm"))
		limits->platform = LCM_PLATFORM_ARM;
	else if (!strcmp(arg, "--platform=auto"))
		*ret_guess = true;
	else if (!strcmp(arg, "--no-pv32"))
		limits->no_pv32 = true;
	else if (!strcmp(arg, "--strict"))
		limits->strict = true;
	else if (take_number(arg, "--host-cpus=", &n))
		limits->host_cpus = n;
	else if (!strcmp(arg, "--no-modules"))
		limits->no_modules = true;
	else if (!strcmp(arg, "--source"))
		limits->source = true;
	else if (take_number(arg, "--modules=", &n))
		limits->nr_modules = n;
	else if (take_number(arg, "--host-memory=", &n))
		limits->memory_kib = n;
	else if (take_number(arg, "--max-vcpus=", &n))
		limits->max_vcpus = n;
	else if (take_number(arg, "--max-vcpus-pv=", &n))
		limits->max_vcpus_pv = n;
	else if (strcmp(arg, "--platform=x86") != 0)
		fail_msg("unknown argument %s", arg);
}

static struct lcm_limits read_args(const struct fixture *fixture, bool *ret_guess)
{
	struct lcm_limits limits = {.platform = LCM_PLATFORM_X86};
	char args[MAX_LINE], *arg, *save;

	*ret_guess = false;
	snprintf(args, sizeof(args), "%s", fixture->args);
	for (arg = strtok_r(args, " ", &save); arg; arg = strtok_r(NULL, " ", &save))
		take_arg(arg, &limits, ret_guess);
	return limits;
}

static struct blob read_fixture(const struct fixture *fixture)
{
	char name[160];

	snprintf(name, sizeof(name), "%s.dtb", fixture->name);
	return blob_read(fixture_dir, name);
}

/* --- bad ------------------------------------------------------------------ */

static void test_bad(void **state)
{
	const struct fixture *fixture = *state;
	char code[64], node[256], prop[64], path[LCM_PATH_SIZE];
	struct blob blob = read_fixture(fixture);
	static struct lcm lcm;
	struct lcm_limits limits;
	struct lcm_error err;
	bool guess;

	assert_int_equal(sscanf(fixture->line, "%63s %255s %63s", code, node, prop), 3);
	limits = read_args(fixture, &guess);
	assert_false(guess);

	lcm_exercise(blob.data, blob.size, &limits);
	if (!lcm_parse(blob.data, blob.size, &lcm, &err) && !lcm_check(&lcm, &limits, &err))
		fail_msg("%s is taken for good", fixture->name);
	lcm_path(blob.data, err.node, path, sizeof(path));
	assert_string_equal(lcm_errname(err.code), code);
	assert_string_equal(path, node);
	assert_string_equal(err.prop ? err.prop : "-", prop);
	raised[err.code] = true;
	blob_free(&blob);
}

/* --- good ----------------------------------------------------------------- */

/* The next field of a line, as text and as a number. */
static const char *take_field(char **rest)
{
	char *field = strtok_r(NULL, " ", rest);

	if (!field)
		fail_msg("a field is missing in expect-ok.txt");
	return field;
}

static uint64_t take_value(char **rest)
{
	const char *field = take_field(rest);
	char *end;
	uint64_t value = strtoull(field, &end, 0);

	assert_true(end != field && !*end);
	return value;
}

static void check_domain(const struct lcm_domain *dom, char *line)
{
	char *rest;

	assert_string_equal(dom->name, strtok_r(line, " ", &rest));
	assert_int_equal(dom->requested_domid, take_value(&rest));
	assert_int_equal(dom->domid, take_value(&rest));
	assert_int_equal(dom->permissions, take_value(&rest));
	assert_int_equal(dom->functions, take_value(&rest));
	assert_int_equal(dom->mode, take_value(&rest));
	assert_int_equal(dom->cpus, take_value(&rest));
	assert_int_equal(dom->memory_kib, take_value(&rest));
}

static void check_launch(const struct lcm *lcm, const struct fixture *fixture)
{
	char line[MAX_LINE], *rest;
	const char *kind;

	snprintf(line, sizeof(line), "%s", fixture->line);
	kind = strtok_r(line, " ", &rest);
	assert_int_equal(lcm_is_dynamic(lcm), !strcmp(kind, "dynamic"));
	assert_string_equal(lcm->domains[lcm_console_owner(lcm)].name, take_field(&rest));
	assert_int_equal(lcm->nr_modules, take_value(&rest));
	assert_int_equal(lcm->nr_warnings, take_value(&rest));
	assert_int_equal(lcm->nr_domains, fixture->nr_domains);
	for (unsigned int i = 0; i < lcm->nr_domains; i++) {
		snprintf(line, sizeof(line), "%s", fixture->domains[i]);
		check_domain(&lcm->domains[i], line);
	}
}

static void test_ok(void **state)
{
	const struct fixture *fixture = *state;
	struct blob blob = read_fixture(fixture);
	char path[LCM_PATH_SIZE];
	static struct lcm lcm;
	struct lcm_limits limits;
	struct lcm_error err = {.code = LCM_OK};
	bool guess;

	limits = read_args(fixture, &guess);
	assert_true(lcm_detect(blob.data, blob.size));
	if (!lcm_parse(blob.data, blob.size, &lcm, &err) && guess)
		limits.platform = lcm_guess_platform(&lcm);
	if (err.code != LCM_OK || lcm_check(&lcm, &limits, &err)) {
		lcm_path(blob.data, err.node, path, sizeof(path));
		fail_msg("%s: %s: %s: %s", fixture->name, path, err.prop ? err.prop : "-",
			 lcm_strerror(err.code));
	}
	assert_int_equal(lcm_exercise(blob.data, blob.size, &limits), LCM_OK);

	check_launch(&lcm, fixture);
	blob_free(&blob);
}

/* --- the lists themselves ------------------------------------------------- */

/* Not by a fixture: from broken bytes, by Xen, or by a program of its own. */
static bool is_raised_elsewhere(enum lcm_err code)
{
	switch (code) {
	case LCM_OK:
	/* test-lcm-blobs */
	case LCM_ERR_FDT:
	case LCM_ERR_SIZE:
	case LCM_ERR_TOO_MANY_DOMAINS:
	case LCM_ERR_TOO_MANY_PCI:
	case LCM_ERR_TOO_MANY_VCPUS:
	case LCM_ERR_TOO_MANY_DEVICES:
	/* can't be, as long as each domain and the config node have room */
	case LCM_ERR_TOO_MANY_MODULES:
	/* Xen, while it builds */
	case LCM_ERR_SECURITY_LABEL:
	case LCM_ERR_DIGEST:
	case LCM_ERR_IMAGE:
	case LCM_ERR_NO_MEMORY:
	case LCM_ERR_BUILD:
	case LCM_ERR_KERNEL_SIZE:
	case LCM_ERR_XSM_POLICY:
	case LCM_ERR_NO_IOMMU:
	case LCM_ERR_BOOT_FAILED:
	case LCM_ERR_BOOT_DIED:
	case LCM_ERR_BOOT_TIMEOUT:
		return true;
	default:
		return false;
	}
}

/* kernel, ramdisk, device-tree, config and firmware; microcode and xsm-policy */
_Static_assert(LCM_MAX_DOMAINS * 5 + 2 <= LCM_MAX_MODULES, "too-many-modules needs a fixture");

static void test_every_rule_has_a_fixture(void **state)
{
	for (int code = 0; code < LCM_NR_ERRS; code++)
		if (raised[code] == is_raised_elsewhere(code))
			fail_msg("%s has %s fixture", lcm_errname(code), raised[code] ? "a" : "no");
}

static bool is_listed(const char *name, size_t len)
{
	for (size_t i = 0; i < nr_fixtures; i++)
		if (strlen(fixtures[i].name) == len && !memcmp(fixtures[i].name, name, len))
			return true;
	return false;
}

static void test_every_source_is_listed(void **state)
{
	DIR *dir = opendir(fixture_source_dir);
	struct dirent *entry;
	size_t found = 0;

	if (!dir) {
		fail_msg("%s can't be opened", fixture_source_dir);
		return;
	}
	while ((entry = readdir(dir))) {
		const char *suffix = strstr(entry->d_name, ".dts");

		if (!suffix)
			continue;
		if (!is_listed(entry->d_name, suffix - entry->d_name))
			fail_msg("%s is in no list", entry->d_name);
		found++;
	}
	closedir(dir);
	assert_int_equal(found, nr_fixtures);
}

/* --- what the lists can't say --------------------------------------------- */

static void parse_good(const char *name, struct blob *blob, struct lcm *lcm,
		       enum lcm_platform platform)
{
	const struct lcm_limits limits = {.platform = platform};
	struct lcm_error err;

	*blob = blob_read(fixture_dir, name);
	assert_int_equal(lcm_parse(blob->data, blob->size, lcm, &err), 0);
	assert_int_equal(lcm_check(lcm, &limits, &err), 0);
}

static void check_module(const struct lcm_module *m, enum lcm_module_type type, uint32_t index)
{
	assert_int_equal(m->type, type);
	assert_int_equal(m->locator, LCM_LOCATE_INDEX);
	assert_int_equal(m->index, index);
}

/* The comments of the design's example: what is at which index, and for whom. */
static void test_seed_x86(void **state)
{
	static const uint8_t uuid[16] = {0xb3, 0xfb, 0x98, 0xfb, 0x8f, 0x9f, 0x67, 0xa3};
	static struct lcm lcm;
	struct blob blob;
	const struct lcm_domain *boot = &lcm.domains[0], *dom0 = &lcm.domains[1];

	parse_good("ok-seed-x86.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	check_module(&lcm.modules[lcm.microcode], LCM_MODULE_MICROCODE, 1);
	check_module(&lcm.modules[lcm.xsm_policy], LCM_MODULE_XSM_POLICY, 2);
	check_module(&lcm.modules[boot->kernel], LCM_MODULE_KERNEL, 3);
	check_module(&lcm.modules[boot->ramdisk], LCM_MODULE_RAMDISK, 4);
	check_module(&lcm.modules[boot->config], LCM_MODULE_CONFIG, 5);
	check_module(&lcm.modules[dom0->kernel], LCM_MODULE_KERNEL, 6);
	check_module(&lcm.modules[dom0->ramdisk], LCM_MODULE_RAMDISK, 7);
	assert_string_equal(lcm.modules[dom0->kernel].bootargs, "console=hvc0");
	assert_null(lcm.modules[boot->kernel].bootargs);
	assert_string_equal(dom0->security_id, "dom0_t");
	assert_null(boot->security_id);
	assert_false(boot->has_mode);
	assert_memory_equal(dom0->uuid, uuid, sizeof(uuid));
	assert_int_equal(lcm.boot_timeout_ms, LCM_BOOT_TIMEOUT_MS);
	assert_int_equal(lcm.warnings[0].code, LCM_WARN_MODE_DEFAULT);
	assert_int_equal(lcm.warnings[0].node, boot->node);
	assert_int_equal(lcm.warnings[1].code, LCM_WARN_UUID_SHORT);
	blob_free(&blob);
}

static void test_seed_arm(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-seed-arm.dtb", &blob, &lcm, LCM_PLATFORM_ARM);
	assert_int_equal(lcm_guess_platform(&lcm), LCM_PLATFORM_ARM);
	for (unsigned int i = 0; i < lcm.nr_modules; i++) {
		assert_int_equal(lcm.modules[i].locator, LCM_LOCATE_ADDR);
		assert_int_equal(lcm.modules[i].addr, 0xff00 + 0x80 * i);
		assert_int_equal(lcm.modules[i].size, 0x80);
	}
	blob_free(&blob);
}

static void check_addr(const struct lcm *lcm, int module, uint64_t addr, uint64_t size)
{
	assert_int_not_equal(module, LCM_NONE);
	assert_int_equal(lcm->modules[module].locator, LCM_LOCATE_ADDR);
	assert_int_equal(lcm->modules[module].addr, addr);
	assert_int_equal(lcm->modules[module].size, size);
}

static void test_cells(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-cells.dtb", &blob, &lcm, LCM_PLATFORM_ARM);
	check_addr(&lcm, lcm.domains[0].kernel, 0x40000000, 0x1000);
	check_addr(&lcm, lcm.domains[0].ramdisk, 0x140000000, 0x1000);
	check_addr(&lcm, lcm.domains[0].device_tree, 0x240000000, 0x100000000);
	check_addr(&lcm, lcm.domains[1].kernel, 0x50000000, 0x1000);
	check_addr(&lcm, lcm.domains[2].kernel, 0x40001000, 0x1000);
	blob_free(&blob);

	parse_good("ok-cells-default.dtb", &blob, &lcm, LCM_PLATFORM_ARM);
	check_addr(&lcm, lcm.domains[0].kernel, 0x140000000, 0x1000);
	blob_free(&blob);

	parse_good("ok-dom0less.dtb", &blob, &lcm, LCM_PLATFORM_ARM);
	assert_int_equal(lcm.form, LCM_FORM_DOM0LESS);
	check_addr(&lcm, lcm.domains[0].kernel, 0x42000000, 0x1000000);
	check_addr(&lcm, lcm.domains[0].ramdisk, 0x44000000, 0x100000);
	check_addr(&lcm, lcm.domains[1].kernel, 0x42000000, 0x1000000);
	blob_free(&blob);
}

static void check_slots(const struct lcm_pci *pci, const unsigned int *slots, unsigned int nr)
{
	unsigned int pos = 0, slot;

	for (unsigned int i = 0; i < nr; i++) {
		assert_true(lcm_next_slot(pci->path, &pos, &slot));
		assert_int_equal(slot, slots[i]);
	}
	assert_false(lcm_next_slot(pci->path, &pos, &slot));
}

static void test_pci(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-pci.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_pci, 5);
	assert_false(lcm.domains[0].hold);
	assert_true(lcm.domains[1].hold);

	assert_int_equal(lcm.pci[0].form, LCM_PCI_BDF);
	assert_int_equal(lcm.pci[0].sbdf, 0x0181);
	assert_true(lcm.pci[0].has_slot && lcm.pci[0].slot == 5);
	assert_true(lcm.pci[0].permissive && !lcm.pci[0].optional);

	assert_int_equal(lcm.pci[1].form, LCM_PCI_MATCH);
	assert_true(lcm.pci[1].has_class && lcm.pci[1].class == 0x020000);
	assert_true(lcm.pci[1].has_vendor && lcm.pci[1].vendor == 0x8086);
	assert_true(lcm.pci[1].has_device && lcm.pci[1].device == 0x10c9);
	assert_int_equal(lcm.pci[1].count, 2);
	assert_true(lcm.pci[1].optional && !lcm.pci[1].has_slot);

	assert_int_equal(lcm.pci[2].form, LCM_PCI_VF);
	assert_int_equal(lcm.pci[2].sbdf, 0xa2 << 16 | 0x01 << 8 | 0x1f << 3 | 7);
	assert_int_equal(lcm.pci[2].vf, 3);
	assert_int_equal(lcm.pci[2].reset, LCM_PCI_RESET_AUTO);

	assert_int_equal(lcm.pci[3].form, LCM_PCI_PATH);
	assert_int_equal(lcm.pci[3].reset, LCM_PCI_RESET_NONE);
	check_slots(&lcm.pci[3], (unsigned int[]){0x1c << 3, 0, 0x1f << 3 | 7}, 3);
	assert_int_equal(lcm.pci[4].reset, LCM_PCI_RESET_AUTO);
	check_slots(&lcm.pci[4], (unsigned int[]){0x1c << 3 | 5}, 1);

	assert_int_equal(lcm.warnings[0].code, LCM_WARN_PCI_SLOT);
	assert_int_equal(lcm.warnings[0].node, lcm.pci[0].node);
	blob_free(&blob);
}

static void check_cpus(const struct lcm_vcpu *vcpu, const unsigned int *cpus, unsigned int nr)
{
	unsigned int pos = 0, first, last;

	for (unsigned int i = 0; i < nr; i += 2) {
		assert_true(lcm_next_cpus(vcpu->hard_affinity, &pos, &first, &last));
		assert_int_equal(first, cpus[i]);
		assert_int_equal(last, cpus[i + 1]);
	}
	assert_false(lcm_next_cpus(vcpu->hard_affinity, &pos, &first, &last));
}

static void test_vcpus(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-vcpu.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_vcpus, 6);
	assert_int_equal(lcm.vcpus[2].domain, 1);
	assert_int_equal(lcm.vcpus[2].id, 3);
	check_cpus(&lcm.vcpus[2], (unsigned int[]){0, 3, 8, 8, 10, 15}, 6);
	check_cpus(&lcm.vcpus[3], (unsigned int[]){15, 15}, 2);
	assert_null(lcm.vcpus[5].hard_affinity);
	blob_free(&blob);
}

static void test_devices(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0x0a, 0x00, 0x01};
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-devices.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_true(lcm.domains[2].hold && !lcm.domains[1].hold);
	assert_int_equal(lcm.nr_disks, 2);
	assert_string_equal(lcm.disks[0].path, "/dev/vg/web");
	assert_null(lcm.disks[0].format);
	assert_int_equal(lcm.disks[0].backend, 0);
	assert_false(lcm.disks[0].read_only);
	assert_string_equal(lcm.disks[1].vdev, "sdab12");
	assert_string_equal(lcm.disks[1].format, "qcow2");
	assert_true(lcm.disks[1].read_only);
	assert_int_equal(lcm.nr_nics, 2);
	assert_string_equal(lcm.nics[0].bridge, "br0");
	assert_memory_equal(lcm.nics[0].mac, mac, sizeof(mac));
	assert_int_equal(lcm.nics[0].backend, 0);
	assert_int_equal(lcm.nics[1].backend, 1);
	assert_false(lcm.nics[1].has_mac);
	for (unsigned int i = 0; i < lcm.nr_warnings; i++)
		assert_int_equal(lcm.warnings[i].code, LCM_WARN_NOT_IN_FORCE);
	blob_free(&blob);
}

static void test_restart(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-restart.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.domains[0].restart, LCM_RESTART_NEVER);
	assert_int_equal(lcm.domains[2].restart, LCM_RESTART_ON_FAILURE);
	assert_int_equal(lcm.domains[2].restart_limit, 3);
	assert_int_equal(lcm.domains[3].restart, LCM_RESTART_ALWAYS);
	assert_int_equal(lcm.domains[3].restart_limit, LCM_RESTART_LIMIT);
	blob_free(&blob);
}

/* What each name was probably to be, in the order of the source. */
static void test_misspelt(void **state)
{
	static const char *const meant[][2] = {
		{"boot_timeout_ms", "boot-timeout-ms"},
		{"timeout", "boot-timeout-ms"},
		{"vcpus", "cpus"},
		{"maxmem", "memory"},
		{"security_id", "security-id"},
		{"start_after", "start-after"},
		{"permission", "permissions"},
		{"uuid", "domain-uuid"},
		{"Mode", "mode"},
		{"funtcions", "functions"},
		{"command-line", "bootargs in the node of the kernel"},
		{"bootargs", "bootargs in the node of the kernel"},
		{"cmdline", "bootargs"},
		{"digest", "digest-sha256"},
		{"bootarg", "bootargs"},
		{"affinity", "hard-affinity"},
	};
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-misspelt.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_warnings, sizeof(meant) / sizeof(meant[0]));
	for (unsigned int i = 0; i < lcm.nr_warnings; i++) {
		assert_int_equal(lcm.warnings[i].code, LCM_WARN_MISSPELT);
		assert_string_equal(lcm.warnings[i].prop, meant[i][0]);
		assert_string_equal(lcm.warnings[i].meant, meant[i][1]);
	}
	blob_free(&blob);
}

static void test_unsupported(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-unsupported.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	for (unsigned int i = 0; i < lcm.nr_warnings; i++)
		assert_int_equal(lcm.warnings[i].code, LCM_WARN_UNSUPPORTED);
	assert_string_equal(lcm.warnings[0].prop, "permissions");
	assert_string_equal(lcm.warnings[1].prop, "mode");
	assert_string_equal(lcm.warnings[2].prop, "mode");
	assert_int_equal(lcm.warnings[3].node, lcm.modules[lcm.domains[3].config].node);
	blob_free(&blob);
}

static void test_pv_xenstore(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-pv-xenstore.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_warnings, 1);
	assert_int_equal(lcm.warnings[0].code, LCM_WARN_PV_XENSTORE);
	assert_int_equal(lcm.warnings[0].node, lcm.domains[0].node);
	assert_string_equal(lcm.warnings[0].prop, "mode");
	blob_free(&blob);

	/* The hardware domain may, and a dom0 with all of it. */
	parse_good("ok-static-basic.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_warnings, 0);
	blob_free(&blob);
	parse_good("ok-classic-dom0.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_warnings, 0);
	blob_free(&blob);
}

static void test_order_without_boot_domain(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-order-alone.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_warnings, 1);
	assert_int_equal(lcm.warnings[0].code, LCM_WARN_START_AFTER);
	assert_int_equal(lcm.warnings[0].node, lcm.domains[1].node);
	assert_string_equal(lcm.warnings[0].prop, "start-after");
	blob_free(&blob);

	/* With one it is no matter. */
	parse_good("ok-dynamic-full.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_non_null(lcm.domains[2].start_after);
	assert_int_equal(lcm.nr_warnings, 0);
	blob_free(&blob);
}

static void test_device_tree_x86(void **state)
{
	static struct lcm lcm;
	struct blob blob;

	parse_good("ok-device-tree.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.nr_warnings, 1);
	assert_int_equal(lcm.warnings[0].code, LCM_WARN_DEVICE_TREE);
	assert_int_equal(lcm.warnings[0].node, lcm.modules[lcm.domains[0].device_tree].node);
	blob_free(&blob);

	/* By address, on Arm, it is used. */
	parse_good("ok-cells.dtb", &blob, &lcm, LCM_PLATFORM_ARM);
	assert_int_equal(lcm.nr_warnings, 0);
	blob_free(&blob);
}

static void test_own_properties(void **state)
{
	static struct lcm lcm;
	struct blob blob;
	const struct lcm_domain *web = &lcm.domains[6], *db = &lcm.domains[7];

	parse_good("ok-dynamic-full.dtb", &blob, &lcm, LCM_PLATFORM_X86);
	assert_int_equal(lcm.boot_timeout_ms, 60000);
	assert_int_equal(web->start_after_mask, 1u << 1 | 1u << 5);
	assert_int_equal(db->start_after_mask, 0);
	assert_true(db->hold && !web->hold);
	assert_int_equal(web->uuid[0], 0x8d);
	assert_int_equal(web->uuid[15], 6);
	assert_string_equal(lcm.domains[1].security_id, "system_u:system_r:xenstore_t");
	blob_free(&blob);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest last[] = {
		cmocka_unit_test(test_every_rule_has_a_fixture),
		cmocka_unit_test(test_every_source_is_listed),
		cmocka_unit_test(test_seed_x86),
		cmocka_unit_test(test_seed_arm),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_vcpus),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_misspelt),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_pv_xenstore),
		cmocka_unit_test(test_device_tree_x86),
		cmocka_unit_test(test_order_without_boot_domain),
		cmocka_unit_test(test_own_properties),
	};

	fixture_dirs(argc, argv);
	read_bad(test_bad);
	read_ok(test_ok);
	memcpy(tests + nr_tests, last, sizeof(last));
	nr_tests += sizeof(last) / sizeof(last[0]);
	return _cmocka_run_group_tests("lcm-fixtures", tests, nr_tests, NULL, NULL);
}
