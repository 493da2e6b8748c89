/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first sector of a disk that a BIOS boots: prints on the first serial port what the second
 * sector has, a text that ends with a zero byte, and then whatever is typed there.  An "r" resets
 * the machine, by the keyboard controller.
 */
#define LINE_STATUS 0x3fd
#define DATA 0x3f8
#define BUFFER 0x7e00

	.code16
	.globl _start
_start:
	ljmp $0, $start
start:
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $0x7c00, %sp
	/* The disk that it was booted from is in %dl: cylinder 0, head 0, sector 2. */
	movw $0x0201, %ax
	movw $0x0002, %cx
	xorb %dh, %dh
	movw $BUFFER, %bx
	int $0x13
	movw $BUFFER, %si
	jnc print
	movw $failed, %si
print:
	lodsb
	testb %al, %al
	jz echo
	call put
	jmp print
echo:
	movw $LINE_STATUS, %dx
	inb %dx, %al
	testb $1, %al
	jz echo
	movw $DATA, %dx
	inb %dx, %al
	cmpb $'r', %al
	je reset
	call put
	jmp echo
reset:
	movb $0xfe, %al
	outb %al, $0x64
	hlt
	jmp reset

/* The character in %al. */
put:
	movb %al, %ah
1:
	movw $LINE_STATUS, %dx
	inb %dx, %al
	testb $0x20, %al
	jz 1b
	movw $DATA, %dx
	movb %ah, %al
	outb %al, %dx
	ret

failed:
	.asciz "the disk cannot be read\r\n"

	.org 510
	.word 0xaa55
