// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A guest's nodes in xenstore, against a store that fails where it is told to;
 * libxl's configuration file; the probe; the sealed file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/sealed.h"
#include "common/cleanup.h"
#include "common/guest-nodes.h"
#include "launch/libxl-config.h"
#include "loop/loop.h"
#include "store/probe.h"

#define UUID	  "8d5a104e-6c2b-4f0a-9b1e-000000000002"
#define MAX_NODES 128

struct node {
	char path[128];
	char value[64];
};

struct store {
	struct node committed[MAX_NODES], pending[MAX_NODES];
	size_t nr_committed, nr_pending;
	bool in_transaction;
	unsigned int conflicts; /* so many commits fail with EAGAIN */
	unsigned int calls;
	unsigned int fail_at; /* the call, from 1, that fails with EIO; 0: none */
	unsigned int begun, ended;
	bool introduced;
	unsigned long gfn;
	unsigned int port, introductions;
};

static struct store *store_of(struct xs_handle *h)
{
	return (struct store *)h;
}

static bool fails(struct xs_handle *h)
{
	struct store *s = store_of(h);

	if (++s->calls != s->fail_at)
		return false;
	errno = EIO;
	return true;
}

static struct node *find(struct store *s, const char *path)
{
	for (size_t i = 0; i < s->nr_pending; i++)
		if (strcmp(s->pending[i].path, path) == 0)
			return &s->pending[i];
	return NULL;
}

static xs_transaction_t fake_start(struct xs_handle *h)
{
	struct store *s = store_of(h);

	if (fails(h))
		return XBT_NULL;
	assert_false(s->in_transaction);
	s->in_transaction = true;
	s->begun++;
	memcpy(s->pending, s->committed, sizeof(s->pending));
	s->nr_pending = s->nr_committed;
	return 7;
}

static bool fake_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	struct store *s = store_of(h);

	assert_true(s->in_transaction);
	assert_int_equal(t, 7);
	s->in_transaction = false;
	s->ended++;
	if (fails(h))
		return false;
	if (abort)
		return true;
	if (s->conflicts > 0) {
		s->conflicts--;
		errno = EAGAIN;
		return false;
	}
	memcpy(s->committed, s->pending, sizeof(s->committed));
	s->nr_committed = s->nr_pending;
	return true;
}

static void *fake_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	const struct node *node = find(store_of(h), path);

	if (fails(h))
		return NULL;
	if (!node) {
		errno = ENOENT;
		return NULL;
	}
	return strdup(node->value);
}

static bool fake_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
		       unsigned int len)
{
	struct store *s = store_of(h);
	struct node *node = find(s, path);

	assert_int_equal(t, 7);
	if (fails(h))
		return false;
	if (!node) {
		assert_true(s->nr_pending < MAX_NODES);
		node = &s->pending[s->nr_pending++];
		snprintf(node->path, sizeof(node->path), "%s", path);
	}
	assert_true(len < sizeof(node->value));
	memcpy(node->value, data, len);
	node->value[len] = '\0';
	return true;
}

static bool fake_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return fake_write(h, t, path, "", 0);
}

static bool fake_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	struct store *s = store_of(h);
	size_t len = strlen(path), kept = 0;

	if (fails(h))
		return false;
	for (size_t i = 0; i < s->nr_pending; i++) {
		const char *p = s->pending[i].path;

		if (strncmp(p, path, len) == 0 && (p[len] == '\0' || p[len] == '/'))
			continue;
		s->pending[kept++] = s->pending[i];
	}
	if (kept == s->nr_pending) {
		errno = ENOENT;
		return false;
	}
	s->nr_pending = kept;
	return true;
}

static bool fake_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
				 struct xs_permissions *perms, unsigned int nr)
{
	if (fails(h))
		return false;
	assert_non_null(find(store_of(h), path));
	assert_in_range(nr, 1, 2);
	/* Nobody but the owner is ever given more than reading. */
	assert_int_equal(perms[0].perms, XS_PERM_NONE);
	if (nr == 2)
		assert_int_equal(perms[1].perms, XS_PERM_READ);
	return true;
}

static bool fake_introduce(struct xs_handle *h, unsigned int domid, unsigned long gfn,
			   unsigned int port)
{
	struct store *s = store_of(h);

	if (fails(h))
		return false;
	assert_int_equal(domid, 2);
	s->introduced = true;
	s->introductions++;
	s->gfn = gfn;
	s->port = port;
	return true;
}

static bool fake_is_introduced(struct xs_handle *h, unsigned int domid)
{
	return !fails(h) && store_of(h)->introduced;
}

static const struct xs_ops fake = {
	.transaction_start = fake_start,
	.transaction_end = fake_end,
	.read = fake_read,
	.write = fake_write,
	.mkdir = fake_mkdir,
	.rm = fake_rm,
	.set_permissions = fake_set_permissions,
	.introduce_domain = fake_introduce,
	.is_domain_introduced = fake_is_introduced,
};

static const struct xs_guest good = {
	.domid = 2,
	.toolstack_domid = 0,
	.console_domid = 0,
	.name = "web",
	.uuid = UUID,
	.type = "pvh",
	.memory_kib = 65536,
	.vcpus = 2,
	.start_usec = UINT64_C(1770000000120000),
	.store_port = 1,
	.store_gfn = 0xfeff,
	.console_port = 2,
	.console_gfn = 0xfefe,
};

static int introduce(struct store *s, const struct xs_guest *guest)
{
	return xs_guest_introduce(&fake, (struct xs_handle *)s, guest);
}

static const char *value(struct store *s, const char *path)
{
	for (size_t i = 0; i < s->nr_committed; i++)
		if (strcmp(s->committed[i].path, path) == 0)
			return s->committed[i].value;
	return NULL;
}

static void test_introduces(void **state)
{
	struct store s = {.nr_committed = 0};

	assert_int_equal(introduce(&s, &good), 1);
	assert_true(s.introduced);
	assert_int_equal(s.gfn, 0xfeff);
	assert_int_equal(s.port, 1);
	assert_string_equal(value(&s, "/local/domain/2/name"), "web");
	assert_string_equal(value(&s, "/local/domain/2/vm"), "/vm/" UUID);
	assert_string_equal(value(&s, "/vm/" UUID "/start_time"), "1770000000.12");
	assert_string_equal(value(&s, "/local/domain/2/memory/target"), "65536");
	assert_string_equal(value(&s, "/local/domain/2/cpu/1/availability"), "online");
	assert_null(value(&s, "/local/domain/2/cpu/2/availability"));
	assert_string_equal(value(&s, "/libxl/2/type"), "pvh");
	assert_string_equal(value(&s, "/local/domain/2/console/ring-ref"), "65278");
	assert_int_equal(s.begun, 1);
	assert_int_equal(s.ended, 1);
}

static void test_twice(void **state)
{
	struct store s = {.nr_committed = 0};
	unsigned int calls;

	assert_int_equal(introduce(&s, &good), 1);
	calls = s.calls;
	assert_int_equal(introduce(&s, &good), 0);
	assert_int_equal(s.calls, calls + 1);
	assert_int_equal(s.introductions, 1);
}

static void test_without_console(void **state)
{
	struct xs_guest guest = good;
	struct store s = {.nr_committed = 0};

	guest.console_port = 0;
	assert_int_equal(introduce(&s, &guest), 1);
	assert_null(value(&s, "/local/domain/2/console"));
	assert_null(value(&s, "/libxl/2/device/console/0"));
	assert_non_null(value(&s, "/libxl/2/device"));
}

static void test_conflicts(void **state)
{
	struct store s = {.conflicts = 15};

	assert_int_equal(introduce(&s, &good), 1);
	assert_int_equal(s.begun, 16);
	assert_int_equal(s.ended, 16);
}

static void test_conflicts_without_end(void **state)
{
	struct store s = {.conflicts = 1000};

	assert_int_equal(introduce(&s, &good), -EAGAIN);
	assert_int_equal(s.begun, 16);
	assert_int_equal(s.nr_committed, 0);
	assert_false(s.introduced);
}

/* Each call fails once: nothing is half done, and the next attempt does the rest. */
static void test_every_call_fails_once(void **state)
{
	struct store whole = {.nr_committed = 0};
	unsigned int failed = 0;

	assert_int_equal(introduce(&whole, &good), 1);
	for (unsigned int at = 1; at <= whole.calls; at++) {
		struct store s = {.fail_at = at};
		int r = introduce(&s, &good);

		assert_int_equal(s.begun, s.ended);
		if (r < 0) {
			failed++;
			assert_int_equal(r, -EIO);
			assert_false(s.introduced);
			assert_true(s.nr_committed == 0 || s.nr_committed == whole.nr_committed);
			assert_int_equal(introduce(&s, &good), 1);
		}
		assert_int_equal(s.nr_committed, whole.nr_committed);
		assert_int_equal(s.introductions, 1);
	}
	/* All but the question whether it is introduced. */
	assert_int_equal(failed, whole.calls - 1);
}

/* Nodes that are ours and whole stay as they are, with what others have put there since. */
static void test_nodes_are_there(void **state)
{
	struct store s = {.nr_committed = 0};

	assert_int_equal(introduce(&s, &good), 1);
	s.introduced = false;
	for (size_t i = 0; i < s.nr_committed; i++)
		if (strcmp(s.committed[i].path, "/local/domain/2/console/tty") == 0)
			strcpy(s.committed[i].value, "/dev/pts/3");
	assert_int_equal(introduce(&s, &good), 1);
	assert_string_equal(value(&s, "/local/domain/2/console/tty"), "/dev/pts/3");
}

/* Nodes of somebody else, under the same domid, do not. */
static void test_stale_nodes(void **state)
{
	struct store s = {.nr_committed = 2};

	strcpy(s.committed[0].path, "/local/domain/2/vm");
	strcpy(s.committed[0].value, "/vm/another");
	strcpy(s.committed[1].path, "/local/domain/2/stale");
	assert_int_equal(introduce(&s, &good), 1);
	assert_null(value(&s, "/local/domain/2/stale"));
	assert_string_equal(value(&s, "/local/domain/2/vm"), "/vm/" UUID);
}

static void test_hostile_values(void **state)
{
	char long_name[65];
	struct xs_guest bad[] = {good, good, good, good, good, good, good, good,
				 good, good, good, good, good, good, good, good};
	const char *field = NULL;

	memset(long_name, 'n', 64);
	long_name[64] = '\0';
	bad[0].name = "";
	bad[1].name = long_name;
	bad[2].name = "a\nb";
	bad[3].name = "a\x7f";
	bad[4].uuid = "";
	bad[5].uuid = "00000000-0000-0000-0000-000000000000";
	bad[6].uuid = "../../local/domain/0/name/aaaaaaaaaa";
	bad[7].uuid = "8D5A104E-6C2B-4F0A-9B1E-000000000002";
	bad[8].uuid = "8d5a104e/6c2b/4f0a/9b1e/000000000002";
	bad[9].type = "hvm\"";
	bad[10].vcpus = 0;
	bad[11].vcpus = UINT32_MAX;
	bad[12].store_port = UINT32_MAX;
	bad[13].store_gfn = UINT64_MAX;
	bad[14].domid = 0;
	bad[15].domid = 0x7ff1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct store s = {.nr_committed = 0};

		field = NULL;
		assert_int_equal(xs_guest_check(&bad[i], &field), -EINVAL);
		assert_non_null(field);
		assert_int_equal(introduce(&s, &bad[i]), -EINVAL);
		assert_int_equal(s.calls, 0);
	}
	assert_int_equal(xs_guest_check(&good, &field), 0);
}

/* Named, but xenstored is not told of it; a name that is there stays. */
static void test_without_a_ring(void **state)
{
	struct xs_guest guest = good;
	struct store s = {.nr_committed = 0};

	guest.store_port = 0;
	guest.store_gfn = UINT64_MAX;
	assert_int_equal(introduce(&s, &guest), 1);
	assert_int_equal(s.introductions, 0);
	assert_string_equal(value(&s, "/local/domain/2/name"), "web");
	assert_null(value(&s, "/local/domain/2/store/port"));
	assert_null(value(&s, "/local/domain/2/memory/target"));
	assert_int_equal(introduce(&s, &guest), 0);
}

/* Names that are odd but sound stand as they are. */
static void test_odd_names(void **state)
{
	static const char *const names[] = {"a/b", "..", "%s%n", "na me", "\xc3\xa4", "\"'`$(x)"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct xs_guest guest = good;
		struct store s = {.nr_committed = 0};

		guest.name = names[i];
		assert_int_equal(introduce(&s, &guest), 1);
		assert_string_equal(value(&s, "/local/domain/2/name"), names[i]);
	}
}

static char *read_file(const char *path, size_t *ret_size)
{
	char *text = calloc(1, 4096);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, 4095);
	assert_true(n > 0);
	close(fd);
	*ret_size = (size_t)n;
	return text;
}

#define BOOT	"11111111111111111111111111111111"
#define EARLIER "22222222222222222222222222222222"

/* A directory as libxl has it. */
static char libxl_dir[32];

static int make_libxl_dir(void **state)
{
	strcpy(libxl_dir, "/tmp/hl-test-XXXXXX");
	return mkdtemp(libxl_dir) ? 0 : -1;
}

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", libxl_dir, name);
	return path;
}

static bool has_file(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

static void put_file(const char *name, const char *text)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static unsigned int remove_files(void)
{
	DIR *dir = opendir(libxl_dir);
	struct dirent *entry;
	unsigned int nr = 0;

	if (!dir) {
		fail();
		return 0;
	}
	while ((entry = readdir(dir)))
		nr += unlink(in_dir(entry->d_name)) == 0;
	closedir(dir);
	return nr;
}

static int remove_libxl_dir(void **state)
{
	remove_files();
	return rmdir(libxl_dir);
}

#define CONFIG_OF(domid) "userdata-d." domid "." UUID ".libxl-json"
#define MARK_OF(domid)	 "userdata-d." domid "." UUID ".hyperlaunchd"

static void test_libxl_config(void **state)
{
	struct xs_guest guest = good;
	json_object *config, *info, *field;
	struct stat st;
	size_t size;
	char *text;

	guest.name = "we\"b\\";
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 1);
	assert_int_equal(stat(in_dir(CONFIG_OF("2")), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	text = read_file(in_dir(CONFIG_OF("2")), &size);
	assert_int_equal(size, strlen(text) + 1);
	config = json_tokener_parse(text);
	assert_non_null(config);
	assert_true(json_object_object_get_ex(config, "c_info", &info));
	assert_true(json_object_object_get_ex(info, "name", &field));
	assert_string_equal(json_object_get_string(field), "we\"b\\");
	assert_true(json_object_object_get_ex(info, "uuid", &field));
	assert_string_equal(json_object_get_string(field), UUID);
	assert_true(json_object_object_get_ex(config, "b_info", &info));
	assert_true(json_object_object_get_ex(info, "type.pvh", &field));
	assert_true(json_object_object_get_ex(info, "avail_vcpus", &field));
	assert_int_equal(json_object_array_length(field), 2);
	json_object_put(config);
	free(text);
	/* With the mark, and nothing else. */
	assert_int_equal(remove_files(), 2);
	assert_int_equal(libxl_config_write("/tmp/hl-test-none", BOOT, &guest), -ENOENT);
}

/* libxl may have changed its file since: it is libxl's, until the next boot. */
static void test_libxl_config_of_an_earlier_boot(void **state)
{
	struct xs_guest guest = good;
	size_t size;
	char *text;

	assert_int_equal(libxl_config_write(libxl_dir, EARLIER, &guest), 1);
	put_file(CONFIG_OF("2"), "changed");
	assert_int_equal(libxl_config_write(libxl_dir, EARLIER, &guest), 0);
	guest.name = "renamed";
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 1);
	text = read_file(in_dir(CONFIG_OF("2")), &size);
	assert_non_null(strstr(text, "\"renamed\""));
	free(text);
	put_file(CONFIG_OF("2"), "changed");
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 0);
	/* Killed between the mark and the file; a file without a mark; a mark that is no file. */
	assert_int_equal(unlink(in_dir(CONFIG_OF("2"))), 0);
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 1);
	assert_int_equal(unlink(in_dir(MARK_OF("2"))), 0);
	put_file(CONFIG_OF("2"), "old");
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 1);
	assert_int_equal(unlink(in_dir(MARK_OF("2"))), 0);
	assert_int_equal(mkfifo(in_dir(MARK_OF("2")), 0600), 0);
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 1);
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 0);
	assert_int_equal(remove_files(), 2);
}

static bool foreign_is_9(void *userdata, uint32_t domid, const char *uuid)
{
	assert_string_equal(uuid, UUID);
	return domid == 9;
}

static void test_libxl_configs_of_earlier_boots_go(void **state)
{
	static const char *const others[] = {
		/* xl's, and what is none of ours though it looks like it. */
		"userdata-d.5." UUID ".libxl-json",
		"userdata-d.5." UUID ".xl",
		"userdata-n.5." UUID ".libxl-json",
		"userdata-d.6.none.hyperlaunchd",
		"userdata-d.06." UUID ".hyperlaunchd",
		"userdata-d.6." UUID ".hyperlaunchd2",
		"userdata-d.6." UUID ".libxl-json",
		"userdata-d.4294967296." UUID ".hyperlaunchd",
		"hyperlaunchd",
	};
	struct xs_guest guest = good;

	for (guest.domid = 2; guest.domid <= 3; guest.domid++)
		assert_int_equal(libxl_config_write(libxl_dir, EARLIER, &guest), 1);
	guest.domid = 9;
	assert_int_equal(libxl_config_write(libxl_dir, EARLIER, &guest), 1);
	guest.domid = 4;
	assert_int_equal(libxl_config_write(libxl_dir, BOOT, &guest), 1);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		put_file(others[i], EARLIER);
	/* Killed while it wrote. */
	put_file("userdata-n.7." UUID ".libxl-json.hyperlaunchd-new", "{");
	assert_int_equal(libxl_config_sweep(libxl_dir, BOOT, foreign_is_9, NULL), 0);
	assert_false(has_file(CONFIG_OF("2")) || has_file(MARK_OF("2")));
	assert_false(has_file(CONFIG_OF("3")) || has_file(MARK_OF("3")));
	assert_true(has_file(CONFIG_OF("4")) && has_file(MARK_OF("4")));
	/* A toolstack has made it again: what was ours is not any more. */
	assert_true(has_file(CONFIG_OF("9")));
	assert_false(has_file(MARK_OF("9")));
	assert_false(has_file("userdata-n.7." UUID ".libxl-json.hyperlaunchd-new"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_true(has_file(others[i]));
	assert_int_equal(remove_files(), 3 + ARRAY_SIZE(others));
	assert_int_equal(libxl_config_sweep("/tmp/hl-test-none", BOOT, foreign_is_9, NULL),
			 -ENOENT);
}

/* What cannot be removed keeps its mark, and holds up no other. */
static void test_libxl_config_that_stays(void **state)
{
	struct xs_guest guest = good;

	assert_int_equal(libxl_config_write(libxl_dir, EARLIER, &guest), 1);
	guest.domid = 3;
	assert_int_equal(libxl_config_write(libxl_dir, EARLIER, &guest), 1);
	assert_int_equal(unlink(in_dir(CONFIG_OF("2"))), 0);
	assert_int_equal(mkdir(in_dir(CONFIG_OF("2")), 0700), 0);
	assert_int_equal(libxl_config_sweep(libxl_dir, BOOT, foreign_is_9, NULL), -EISDIR);
	assert_true(has_file(MARK_OF("2")));
	assert_false(has_file(CONFIG_OF("3")) || has_file(MARK_OF("3")));
	assert_int_equal(rmdir(in_dir(CONFIG_OF("2"))), 0);
}

static void test_sealed(void **state)
{
	char text[8] = {0};
	int fd = sealed_memfd("test", "abcdefg", 7);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, 8), 7);
	assert_string_equal(text, "abcdefg");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_ptr_equal(mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
	fd = sealed_memfd("empty", "", 0);
	assert_true(fd >= 0);
	close(fd);
}

struct probing {
	struct loop *loop;
	struct xs_probe *probe;
	int alive;
};

static void on_probe(void *userdata, bool alive)
{
	struct probing *probing = userdata;

	probing->alive = alive;
	probing->probe = xs_probe_free(probing->probe);
	loop_stop(probing->loop, 0);
}

/* answer: what comes back; NULL: the other end closes. */
static int probe(const char *answer)
{
	struct probing probing = {.alive = -1};
	char request[64];
	int pair[2];

	assert_int_equal(loop_new(&probing.loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(xs_probe_new(probing.loop, pair[0], on_probe, &probing, &probing.probe),
			 0);
	/* A read of "domid": header of sixteen bytes, six of payload. */
	assert_int_equal(read(pair[1], request, sizeof(request)), 22);
	assert_int_equal(request[0], 2);
	assert_int_equal(request[12], 6);
	assert_string_equal(request + 16, "domid");
	if (answer)
		assert_int_equal(write(pair[1], answer, strlen(answer)), (int)strlen(answer));
	else
		close(pair[1]);
	assert_int_equal(loop_run(probing.loop), 0);
	assert_null(probing.probe);
	loop_free(probing.loop);
	if (answer)
		close(pair[1]);
	return probing.alive;
}

static void test_probe(void **state)
{
	assert_int_equal(probe("answer"), 1);
	assert_int_equal(probe(NULL), 0);
}

static void test_probe_of_the_dead(void **state)
{
	struct xs_probe *unused = NULL;
	struct loop *loop;
	int pair[2];

	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(xs_probe_new(loop, pair[0], on_probe, NULL, &unused), -EPIPE);
	assert_null(unused);
	loop_free(loop);
}

#define IN_LIBXL_DIR(test) cmocka_unit_test_setup_teardown(test, make_libxl_dir, remove_libxl_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_introduces),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_without_console),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_conflicts_without_end),
		cmocka_unit_test(test_every_call_fails_once),
		cmocka_unit_test(test_nodes_are_there),
		cmocka_unit_test(test_stale_nodes),
		cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_without_a_ring),
		cmocka_unit_test(test_odd_names),
		IN_LIBXL_DIR(test_libxl_config),
		IN_LIBXL_DIR(test_libxl_config_of_an_earlier_boot),
		IN_LIBXL_DIR(test_libxl_configs_of_earlier_boots_go),
		IN_LIBXL_DIR(test_libxl_config_that_stays),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_of_the_dead),
	};

	return cmocka_run_group_tests_name("xs-guest", tests, NULL, NULL);
}
