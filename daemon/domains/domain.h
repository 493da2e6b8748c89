/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One object for each live domain, for as long as it lives, with what each part of
 * the daemon knows of it.  A row of a table is gone with the table; this is not.
 */
#ifndef HYPERLAUNCHD_DOMAINS_DOMAIN_H
#define HYPERLAUNCHD_DOMAINS_DOMAIN_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>
#include <stdint.h>

enum xs_domain_state {
	XS_DOMAIN_NONE,	      /* "none": has no xenstore page, or none that we know of */
	XS_DOMAIN_PAGE_READY, /* "page-ready": xenstored does not serve it yet */
	XS_DOMAIN_INTRODUCED, /* "introduced" */
	XS_DOMAIN_CONNECTED,  /* "connected": and has written something */
};

const char *xs_domain_state_name(enum xs_domain_state state);

/* What xenstore knows of it: watch.c's. */
struct xenstore_facts {
	char *name;
	uint8_t vm_uuid[16]; /* of the node vm; all zero: none */
	bool introduced;
	bool connected; /* until the connection or the domain ends: a guest may write its node as
			   often as it likes */
	bool known;	/* has been read on this connection */
	bool watched;
	bool reading;	 /* a task is on its way */
	bool read_again; /* something has changed since that was sent */
	bool failed;	 /* the last one did, which was logged */
};

/* How far an initial domain's place in xenstore is: launch/complete.c's. */
struct completion {
	char uuid[HL_UUID_TEXT_SIZE]; /* chosen by us, as Xen had no handle; "": not */
	bool configured;	      /* libxl has its configuration */
	bool opened;	    /* it may read its own nodes, as far as that is ours to see to */
	bool working;	    /* a task is on its way */
	unsigned int tries; /* failed introductions */
	uint64_t next_try;  /* of the monotonic clock */
	int error;	    /* why the last introduction failed; 0: it did not */
};

enum console_state {
	CONSOLE_NONE,	  /* it has no console that a helper knows of */
	CONSOLE_WAITING,  /* "waiting": its port or its grant is not there yet */
	CONSOLE_SERVING,  /* "serving" */
	CONSOLE_BROKEN,	  /* "broken": its ring is invalid */
	CONSOLE_RELEASED, /* "released": it has another back end */
	/* Of reports only: another domain serves it, and our own helper has a terminal for it, */
	CONSOLE_RELAYED,     /* "relayed": with a stream to there, */
	CONSOLE_DETACHED,    /* "detached": without one */
	CONSOLE_UNAVAILABLE, /* "unavailable": the helper is not connected */
};

struct console_helper;

/* Its PV console, as the helper that serves it reports: console/consoles.c's. */
struct console_facts {
	enum console_state state;
	char uuid[HL_UUID_TEXT_SIZE];  /* the domain's, as the helper knows it; "": not */
	char tty[64];		       /* path of the pty for xenconsole; "": none */
	uint32_t owner;		       /* the domain of the helper */
	struct console_helper *helper; /* that reports this; NULL: CONSOLE_NONE */
	uint32_t attached;	       /* clients */
	uint64_t dropped;	       /* bytes that are not in its log */
	bool wants_early;	       /* the helper has not got its first output */
	bool early_tried;	       /* it was given that on this connection, or Xen has none */
	enum console_state relay; /* what our own helper says of it, where another one serves it */
	uint64_t relay_next;	  /* when a relay of it may be begun, of the monotonic clock */
	uint32_t backend;	  /* of the report of a relay: the domain that serves it */
	bool shown;		  /* the observer knows that it is there */
	uint32_t changed;	  /* CONSOLE_CHANGED_* that the observer does not know of */
};

struct domain {
	uint32_t domid;
	uint64_t generation;
	const struct hl_domain *row; /* in the last table; never NULL */
	struct xenstore_facts xenstore;
	struct completion completion;
	struct console_facts console;
	/* What observers were last told: manager.c's. */
	enum xs_domain_state shown;
	int shown_error;
	uint32_t changed;
	bool is_new; /* they were told of nothing yet */

	struct domain *next;	  /* in the order in which they were first seen */
	struct domain *next_hash; /* domains' */
	bool present;		  /* domains' */
};

struct domains;

int domains_new(struct domains **ret_domains);
struct domains *domains_free(struct domains *domains);

/*
 * Takes over the live rows of `table`, which has to stay until the next call: adds
 * those that are new, and frees those that are not there any more, after leaving().
 * -ENOMEM: those that could be added were.
 */
int domains_sync(struct domains *domains, struct hl_table *table,
		 void (*leaving)(void *userdata, struct domain *domain), void *userdata);

/* NULL: none. */
struct domain *domains_first(const struct domains *domains);
struct domain *domains_find_domid(const struct domains *domains, uint32_t domid);
struct domain *domains_find(const struct domains *domains, uint32_t domid, uint64_t generation);

#endif
