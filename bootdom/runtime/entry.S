/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PVH entry point (32-bit protected mode, no paging, %ebx: start_info): enters C in
 * long mode, with an identity mapping of the first 4 GiB and interrupts off.
 */
#include <xen/elfnote.h>

#define CR0_MP			(1 << 1)
#define CR0_EM			(1 << 2)
#define CR0_TS			(1 << 3)
#define CR0_WP			(1 << 16)
#define CR0_PG			(1 << 31)
#define CR4_PAE			(1 << 5)
#define CR4_OSFXSR		(1 << 9)
#define CR4_OSXMMEXCPT		(1 << 10)
#define MSR_EFER		0xc0000080
#define EFER_LME		(1 << 8)
#define MSR_FS_BASE		0xc0000100

#define PAGE_SIZE		4096
#define PRESENT_WRITABLE	0x03
#define LARGE			0x80
#define CODE64			0x08
#define DATA			0x10
#define NR_EXCEPTIONS		32
#define CANARY_OFFSET		0x28	/* of %fs, by the ABI */
#define STACK_SIZE		(64 << 10)

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long pvh_entry

	.section .text.entry, "ax", @progbits
	.code32
	.globl pvh_entry
pvh_entry:
	cli
	cld
	movl $stack_end, %esp

	movl $page_directories, %edi
	movl $(LARGE | PRESENT_WRITABLE), %eax
	movl $(4 * 512), %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $(2 << 20), %eax
	addl $8, %edi
	loop 1b

	movl $(page_directories + PRESENT_WRITABLE), %eax
	movl $pointers, %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $PAGE_SIZE, %eax
	addl $8, %edi
	loop 1b
	movl $(pointers + PRESENT_WRITABLE), top

	/* SSE, which libraries may use; code of this directory is compiled without. */
	movl $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
	movl %eax, %cr4
	movl $top, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl %cr0, %eax
	andl $~(CR0_EM | CR0_TS), %eax
	orl $(CR0_PG | CR0_WP | CR0_MP), %eax
	movl %eax, %cr0

	lgdt gdt_pointer
	ljmp $CODE64, $long_mode

	.code64
long_mode:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs

	call make_canary
	movl $MSR_FS_BASE, %ecx
	movl $thread_block, %eax
	xorl %edx, %edx
	wrmsr

	/* Gates of the exceptions, which differ in the address only. */
	movl $exception_stubs, %eax
	movl $idt, %edi
	movl $NR_EXCEPTIONS, %ecx
1:	movw %ax, (%rdi)
	movw $CODE64, 2(%rdi)
	movw $0x8e00, 4(%rdi)
	movl %eax, %edx
	shrl $16, %edx
	movw %dx, 6(%rdi)
	addl $16, %eax
	addl $16, %edi
	loop 1b
	lidt idt_pointer

	movl %ebx, %edi
	xorl %ebp, %ebp
	call runtime_start
	ud2

	/* The canary of the stack protector, different in each run. */
	.globl make_canary
make_canary:
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	movabsq $0x9e3779b97f4a7c15, %rdx
	mulq %rdx
	xorq %rdx, %rax
	xorb %al, %al
	movq %rax, thread_block + CANARY_OFFSET
	ret

	/* Each stub is 16 bytes long; it pushes 0 if the CPU pushes no error code. */
	.balign 16
	.globl exception_stubs
exception_stubs:
	vector = 0
	.rept NR_EXCEPTIONS
	.balign 16
	.if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21))
	pushq $0
	.endif
	pushq $vector
	jmp exception_common
	vector = vector + 1
	.endr

exception_common:
	/* vector, error code and %rip, in this order on the stack */
	movq (%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq %cr2, %rcx
	andq $-16, %rsp
	call runtime_exception
	ud2

	/* Moves C's arguments to the registers of Xen's ABI; each call has 32 bytes in the page. */
	.section .text.hypercall, "ax", @progbits
	.globl hypercall
hypercall:
	movl %edi, %eax
	shll $5, %eax
	addq $hypercall_page, %rax
	movq %rsi, %rdi
	movq %rdx, %rsi
	movq %rcx, %rdx
	movq %r8, %r10
	movq %r9, %r8
	jmp *%rax

	.section .rodata, "a", @progbits
	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* CODE64 */
	.quad 0x00cf93000000ffff	/* DATA */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
idt_pointer:
	.word NR_EXCEPTIONS * 16 - 1
	.quad idt

	.section .bss, "aw", @nobits
	.balign PAGE_SIZE
	.globl hypercall_page
hypercall_page:
	.skip PAGE_SIZE
	.globl shared_info_page
shared_info_page:
	.skip PAGE_SIZE
top:
	.skip PAGE_SIZE
pointers:
	.skip PAGE_SIZE
page_directories:
	.skip 4 * PAGE_SIZE
	.skip STACK_SIZE
	.globl stack_end
stack_end:
idt:
	.skip NR_EXCEPTIONS * 16
	.globl thread_block
thread_block:
	.skip 64

	.section .note.GNU-stack, "", @progbits
