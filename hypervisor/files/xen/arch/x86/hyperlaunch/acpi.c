/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI tables of a PVH guest, the fewest by which an OS finds its CPUs: RSDP,
 * XSDT, FADT (reduced hardware), an empty DSDT, and MADT.  Nothing is taken
 * from the host's tables.
 */

#include <xen/acpi.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/string.h>

#include <acpi/actables.h>

#include "private.h"

#define OEM_ID       "Xen\0\0"
#define OEM_TABLE_ID "HYPERLCH"

struct layout {
    struct acpi_table_rsdp rsdp;
    struct {
        struct acpi_table_header header;
        uint64_t entries[2];
    } __packed xsdt;
    struct acpi_table_header dsdt __aligned(8);
    struct acpi_table_fadt fadt __aligned(8);
    struct acpi_table_madt madt __aligned(8);
    struct acpi_madt_local_apic cpus[];
} __aligned(8);

static void __init fill_header(struct acpi_table_header *h, const char *sig,
                               uint32_t length, uint8_t revision)
{
    memcpy(h->signature, sig, sizeof(h->signature));
    h->length = length;
    h->revision = revision;
    memcpy(h->oem_id, OEM_ID, sizeof(h->oem_id));
    memcpy(h->oem_table_id, OEM_TABLE_ID, sizeof(h->oem_table_id));
    h->oem_revision = 1;
    memcpy(h->asl_compiler_id, "XEN", 4);
    h->asl_compiler_revision = 1;
}

static void __init seal(struct acpi_table_header *h)
{
    h->checksum = 0;
    h->checksum = -acpi_tb_checksum((uint8_t *)h, h->length);
}

static void __init make_rsdp(struct acpi_table_rsdp *rsdp, uint64_t xsdt)
{
    memcpy(rsdp->signature, ACPI_SIG_RSDP, sizeof(rsdp->signature));
    memcpy(rsdp->oem_id, OEM_ID, sizeof(rsdp->oem_id));
    rsdp->revision = 2;
    rsdp->length = sizeof(*rsdp);
    rsdp->xsdt_physical_address = xsdt;
    rsdp->checksum = -acpi_tb_checksum((uint8_t *)rsdp, ACPI_RSDP_REV0_SIZE);
    rsdp->extended_checksum = -acpi_tb_checksum((uint8_t *)rsdp,
                                                sizeof(*rsdp));
}

static void __init make_fadt(struct acpi_table_fadt *fadt, uint64_t dsdt)
{
    fill_header(&fadt->header, ACPI_SIG_FADT, sizeof(*fadt), 6);
    fadt->dsdt = dsdt;
    fadt->Xdsdt = dsdt;
    fadt->flags = ACPI_FADT_HW_REDUCED | ACPI_FADT_WBINVD |
                  ACPI_FADT_POWER_BUTTON | ACPI_FADT_SLEEP_BUTTON;
    fadt->boot_flags = ACPI_FADT_NO_VGA | ACPI_FADT_NO_CMOS_RTC;
    seal(&fadt->header);
}

/* The virtual local APIC of vCPU n has the id 2n. */
static void __init make_madt(struct acpi_table_madt *madt,
                             struct acpi_madt_local_apic *cpu,
                             unsigned int nr_cpus)
{
    unsigned int i;

    fill_header(&madt->header, ACPI_SIG_MADT,
                sizeof(*madt) + nr_cpus * sizeof(*cpu), 4);
    madt->address = APIC_DEFAULT_PHYS_BASE;

    for ( i = 0; i < nr_cpus; i++, cpu++ )
    {
        cpu->header.type = ACPI_MADT_TYPE_LOCAL_APIC;
        cpu->header.length = sizeof(*cpu);
        cpu->processor_id = i;
        cpu->id = i * 2;
        cpu->lapic_flags = ACPI_MADT_ENABLED;
    }

    seal(&madt->header);
}

int __init hyperlaunch_acpi(struct domain *d, void *page, paddr_t base,
                            paddr_t *ret_rsdp)
{
    struct layout *l = page;
    size_t size = sizeof(*l) + d->max_vcpus * sizeof(l->cpus[0]);

    if ( size > PAGE_SIZE || d->max_vcpus > 128 )
        return -ENOSPC;

    fill_header(&l->dsdt, ACPI_SIG_DSDT, sizeof(l->dsdt), 2);
    seal(&l->dsdt);
    make_fadt(&l->fadt, base + offsetof(struct layout, dsdt));
    make_madt(&l->madt, l->cpus, d->max_vcpus);

    fill_header(&l->xsdt.header, ACPI_SIG_XSDT, sizeof(l->xsdt), 1);
    l->xsdt.entries[0] = base + offsetof(struct layout, fadt);
    l->xsdt.entries[1] = base + offsetof(struct layout, madt);
    seal(&l->xsdt.header);

    make_rsdp(&l->rsdp, base + offsetof(struct layout, xsdt));
    *ret_rsdp = base + offsetof(struct layout, rsdp);

    return 0;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
