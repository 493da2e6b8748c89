/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PV entry point (long mode, paging, %rsi: start_info): enters C.  With a virtual base
 * of 0 Xen's mapping is an identity mapping, as that of entry.S for PVH.
 */
#include <xen/elfnote.h>

#define HYPERCALL_SET_TRAP_TABLE	0
#define HYPERCALL_SET_SEGMENT_BASE	25
#define SEGBASE_FS			0
#define FLAT_KERNEL_CS			0xe033
#define NR_EXCEPTIONS			32
#define STUB_SIZE			16	/* of entry.S */

	.macro note type, kind:vararg
	.balign 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\kind
2:	.balign 4
	.endm

	.section .note.Xen, "a", @note
	note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	note XEN_ELFNOTE_GUEST_OS, .asciz "probe"
	note XEN_ELFNOTE_LOADER, .asciz "generic"
	note XEN_ELFNOTE_VIRT_BASE, .quad 0
	note XEN_ELFNOTE_PADDR_OFFSET, .quad 0
	note XEN_ELFNOTE_ENTRY, .quad pv_entry
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page

	.section .text.entry, "ax", @progbits
	.code64
	.globl pv_entry
pv_entry:
	cld
	movl $stack_end, %esp
	movq %rsi, %rbx

	call make_canary
	movl $SEGBASE_FS, %edi
	movl $thread_block, %esi
	call hypercall_page + HYPERCALL_SET_SEGMENT_BASE * 32

	/* A row for each exception: vector, flags, selector, address. */
	movl $traps, %edi
	movl $pv_stubs, %eax
	xorl %ecx, %ecx
1:	movb %cl, (%rdi)
	movw $FLAT_KERNEL_CS, 2(%rdi)
	movq %rax, 8(%rdi)
	addl $STUB_SIZE, %eax
	addl $16, %edi
	incl %ecx
	cmpl $NR_EXCEPTIONS, %ecx
	jne 1b
	movl $traps, %edi
	call hypercall_page + HYPERCALL_SET_TRAP_TABLE * 32

	movq %rbx, %rdi
	xorl %ebp, %ebp
	call runtime_start_pv
	ud2

	/* Xen's frame has %rcx and %r11 above what a CPU pushes. */
	.balign STUB_SIZE
pv_stubs:
	vector = 0
	.rept NR_EXCEPTIONS
	.balign STUB_SIZE
	popq %rcx
	popq %r11
	jmp exception_stubs + vector * STUB_SIZE
	vector = vector + 1
	.endr

	.section .bss, "aw", @nobits
	.balign 8
traps:
	.skip (NR_EXCEPTIONS + 1) * 16	/* terminated by an address of 0 */

	.section .note.GNU-stack, "", @progbits
