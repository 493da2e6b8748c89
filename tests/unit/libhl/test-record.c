// SPDX-License-Identifier: LGPL-2.1-or-later
/* The sysctl's records: their layout, and what is refused in them. */
#include "make.h"

#include <errno.h>
#include <string.h>

#include "xen/decode.h"

/* Each size as the ABI has it at version 4; a change needs another version. */
static void sizes(void **state)
{
	assert_int_equal(XEN_HYPERLAUNCH_VERSION, 4);
	assert_int_equal(sizeof(struct xen_hyperlaunch_info), 264);
	assert_int_equal(sizeof(struct xen_hyperlaunch_domain), 224);
	assert_int_equal(sizeof(struct xen_hyperlaunch_module), 56);
	assert_int_equal(sizeof(struct xen_hyperlaunch_event), 24);
	assert_int_equal(sizeof(struct xen_hyperlaunch_console), 1024);
	assert_int_equal(sizeof(struct xen_sysctl_hyperlaunch), 32);
	/* Arrays of them, and 32-bit callers, need no padding between. */
	assert_int_equal(sizeof(struct xen_hyperlaunch_info) % 8, 0);
	assert_int_equal(sizeof(struct xen_hyperlaunch_domain) % 8, 0);
	assert_int_equal(sizeof(struct xen_hyperlaunch_module) % 8, 0);
	assert_int_equal(sizeof(struct xen_hyperlaunch_event) % 8, 0);
}

static struct xen_hyperlaunch_info good_info(void)
{
	struct xen_hyperlaunch_info info = {
		.version = XEN_HYPERLAUNCH_VERSION,
		.state = XEN_HYPERLAUNCH_STATE_COMPLETE,
		.nr_domains = 2,
		.nr_modules = 3,
		.hwdom_domid = 4,
		.boot_domid = XEN_HYPERLAUNCH_NO_DOMID,
		.crash_domid = 5,
		.console_domid = 6,
		.xenstore_domid = 7,
		.console_owner = 8,
		.virq = 9,
		.self_domid = 17,
		.first_event = 10,
		.nr_events = 11,
		.lcm_size = 12,
		.error = 13,
		.error_domain = 14,
		.start_ns = 15,
		.end_ns = 16,
		.error_path = "/node",
		.error_prop = "prop",
	};

	memset(info.lcm_sha256, 0xab, sizeof(info.lcm_sha256));
	return info;
}

static void info_converted(void **state)
{
	struct xen_hyperlaunch_info info = good_info();
	struct hl_launch launch;

	assert_int_equal(decode_launch(&info, &launch), 0);
	assert_int_equal(launch.state, HL_LAUNCH_COMPLETE);
	assert_int_equal(launch.nr_domains, 2);
	assert_int_equal(launch.nr_modules, 3);
	assert_int_equal(launch.hardware_domid, 4);
	assert_int_equal(launch.boot_domid, HL_NO_DOMID);
	assert_int_equal(launch.crash_domid, 5);
	assert_int_equal(launch.console_domid, 6);
	assert_int_equal(launch.xenstore_domid, 7);
	assert_int_equal(launch.console_owner, 8);
	assert_int_equal(launch.virq, 9);
	assert_int_equal(launch.self_domid, 17);
	assert_int_equal(launch.first_event, 10);
	assert_int_equal(launch.nr_events, 11);
	assert_int_equal(launch.lcm_size, 12);
	assert_int_equal(launch.error, 13);
	assert_int_equal(launch.error_domain, 14);
	assert_int_equal(launch.start_ns, 15);
	assert_int_equal(launch.end_ns, 16);
	assert_string_equal(launch.error_node, "/node");
	assert_string_equal(launch.error_prop, "prop");
	assert_int_equal(launch.lcm_sha256[31], 0xab);
	assert_false(launch.weak_hardware);
}

static void info_of_a_weak_hardware_domain(void **state)
{
	struct xen_hyperlaunch_info info = good_info();
	struct hl_launch launch;

	info.flags = XEN_HYPERLAUNCH_INFO_WEAK_HWDOM;
	assert_int_equal(decode_launch(&info, &launch), 0);
	assert_true(launch.weak_hardware);
}

static void info_of_another_version(void **state)
{
	struct xen_hyperlaunch_info info = good_info();
	struct hl_launch launch = {.nr_domains = 77};

	info.version++;
	assert_int_equal(decode_launch(&info, &launch), -EPROTO);
	assert_int_equal(launch.nr_domains, 77);
}

static void info_new_state(void **state)
{
	struct xen_hyperlaunch_info info = good_info();
	struct hl_launch launch;

	info.state = 99;
	assert_int_equal(decode_launch(&info, &launch), 0);
	assert_int_equal(launch.state, HL_LAUNCH_UNKNOWN);
}

#define REFUSED(record, field, value, convert)                      \
	do {                                                        \
		__typeof__((record).field) before = (record).field; \
		(record).field = (value);                           \
		assert_int_equal(convert, -EBADMSG);                \
		(record).field = before;                            \
		assert_int_equal(convert, 0);                       \
	} while (0)

static void info_nonsense(void **state)
{
	struct xen_hyperlaunch_info info = good_info();
	struct hl_launch launch;

	REFUSED(info, nr_domains, UINT32_MAX, decode_launch(&info, &launch));
	REFUSED(info, nr_modules, UINT32_MAX, decode_launch(&info, &launch));
	REFUSED(info, lcm_size, UINT32_MAX, decode_launch(&info, &launch));
	REFUSED(info, first_event, 12, decode_launch(&info, &launch));
	REFUSED(info, flags, ~XEN_HYPERLAUNCH_INFO_WEAK_HWDOM, decode_launch(&info, &launch));
	memset(info.error_path, 'x', sizeof(info.error_path));
	assert_int_equal(decode_launch(&info, &launch), -EBADMSG);
	info = good_info();
	memset(info.error_prop, 'x', sizeof(info.error_prop));
	assert_int_equal(decode_launch(&info, &launch), -EBADMSG);
}

static void domain_converted(void **state)
{
	struct xen_hyperlaunch_domain d = {
		.index = 1,
		.state = XEN_HYPERLAUNCH_DOM_HELD,
		.requested_domid = 2,
		.domid = 3,
		.permissions = 4,
		.functions = 5,
		.mode = 6,
		.cpus = 7,
		.memory_kib = 8,
		.uuid = {9},
		.ssidref = 10,
		.error = 11,
		.errnum = 12,
		.kernel = 13,
		.ramdisk = XEN_HYPERLAUNCH_NO_MODULE,
		.store_port = 14,
		.console_port = 15,
		.adoption = 20,
		.store_gfn = 16,
		.console_gfn = XEN_HYPERLAUNCH_NO_GFN,
		.built_ns = 17,
		.started_ns = 18,
		.ready_ns = 19,
		.name = "web",
		.error_prop = "memory",
	};
	struct hl_launch_domain out;

	assert_int_equal(decode_domain(&d, 1, &out), 0);
	assert_int_equal(out.state, HL_DOMAIN_HELD);
	assert_int_equal(out.requested_domid, 2);
	assert_int_equal(out.domid, 3);
	assert_int_equal(out.permissions, 4);
	assert_int_equal(out.functions, 5);
	assert_int_equal(out.mode, 6);
	assert_int_equal(out.cpus, 7);
	assert_int_equal(out.memory_kib, 8);
	assert_int_equal(out.uuid[0], 9);
	assert_int_equal(out.ssidref, 10);
	assert_int_equal(out.error, 11);
	assert_int_equal(out.errnum, 12);
	assert_int_equal(out.kernel, 13);
	assert_int_equal(out.ramdisk, HL_NO_INDEX);
	assert_int_equal(out.store_port, 14);
	assert_int_equal(out.console_port, 15);
	assert_int_equal(out.adoption, 20);
	assert_int_equal(out.store_gfn, 16);
	assert_true(out.console_gfn == HL_NO_GFN);
	assert_int_equal(out.built_ns, 17);
	assert_int_equal(out.started_ns, 18);
	assert_int_equal(out.ready_ns, 19);
	assert_string_equal(out.name, "web");
	assert_string_equal(out.error_prop, "memory");

	assert_int_equal(decode_domain(&d, 2, &out), -EBADMSG);
	d.domid = XEN_HYPERLAUNCH_NO_DOMID;
	d.state = 1000;
	assert_int_equal(decode_domain(&d, 1, &out), 0);
	assert_int_equal(out.domid, HL_NO_DOMID);
	assert_int_equal(out.state, HL_DOMAIN_UNKNOWN);
	memset(d.name, 'n', sizeof(d.name));
	assert_int_equal(decode_domain(&d, 1, &out), -EBADMSG);
	memset(d.name, 0, sizeof(d.name));
	memset(d.error_prop, 'p', sizeof(d.error_prop));
	assert_int_equal(decode_domain(&d, 1, &out), -EBADMSG);
}

static void module_converted(void **state)
{
	static const struct {
		uint32_t abi;
		enum hl_module_type type;
	} types[] = {
		{LCM_MODULE_KERNEL, HL_MODULE_KERNEL},
		{LCM_MODULE_RAMDISK, HL_MODULE_RAMDISK},
		{LCM_MODULE_DEVICE_TREE, HL_MODULE_DEVICE_TREE},
		{LCM_MODULE_MICROCODE, HL_MODULE_MICROCODE},
		{LCM_MODULE_XSM_POLICY, HL_MODULE_XSM_POLICY},
		{LCM_MODULE_CONFIG, HL_MODULE_CONFIG},
		{LCM_MODULE_FIRMWARE, HL_MODULE_FIRMWARE},
		{UINT32_MAX, HL_MODULE_UNUSED},
	};
	struct xen_hyperlaunch_module m = {.index = 1, .size = 2, .sha256 = {3}, .users = 5};
	struct hl_launch_module out;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		m.type = types[i].abi;
		assert_int_equal(decode_module(&m, 1, &out), 0);
		assert_int_equal(out.type, types[i].type);
	}
	assert_int_equal(out.size, 2);
	assert_int_equal(out.sha256[0], 3);
	assert_int_equal(out.users, 5);
	REFUSED(m, pad, 1, decode_module(&m, 1, &out));
	assert_int_equal(decode_module(&m, 2, &out), -EBADMSG);
}

static void event_converted(void **state)
{
	struct xen_hyperlaunch_event e = {
		.time_ns = 1,
		.seq = 2,
		.event = XEN_HYPERLAUNCH_EV_CONSOLE,
		.domid = 3,
		.arg = XEN_HYPERLAUNCH_NO_DOMID,
	};
	struct hl_event out;

	assert_int_equal(decode_event(&e, &out), 0);
	assert_int_equal(out.time_ns, 1);
	assert_int_equal(out.seq, 2);
	assert_int_equal(out.type, HL_EVENT_CONSOLE);
	assert_int_equal(out.domid, 3);
	assert_int_equal(out.arg, HL_NO_DOMID);
	e.event = XEN_HYPERLAUNCH_EV_LCM_FOUND;
	e.domid = XEN_HYPERLAUNCH_NO_DOMID;
	assert_int_equal(decode_event(&e, &out), 0);
	assert_int_equal(out.domid, HL_NO_DOMID);
	assert_int_equal(out.arg, XEN_HYPERLAUNCH_NO_DOMID); /* here a number of bytes */
	e.event = 60000;
	assert_int_equal(decode_event(&e, &out), 0);
	assert_int_equal(out.type, HL_EVENT_UNKNOWN);
	REFUSED(e, pad, 1, decode_event(&e, &out));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(info_converted),
		cmocka_unit_test(info_new_state),
		cmocka_unit_test(info_of_another_version),
		cmocka_unit_test(info_nonsense),
		cmocka_unit_test(domain_converted),
		cmocka_unit_test(module_converted),
		cmocka_unit_test(event_converted),
		cmocka_unit_test(info_of_a_weak_hardware_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
