/**
 * Makes domains out of kernel files: recognises and unpacks the kernel, reads its Xen ELF notes, lays out its initial address
 * space, loads it and sets the first vCPU's registers.
 *
 * <p>{@link dev.xenolith.dom0.build.KernelImage} reads the file, {@link dev.xenolith.dom0.build.PvLayout} decides where everything
 * goes, {@link dev.xenolith.dom0.build.PvBuilder} does it through the toolstack's operations. A kernel file is as hostile as a
 * guest: each number in it is checked before use, and what is wrong with it is said by name.
 */
@NullMarked
package dev.xenolith.dom0.build;

import org.jspecify.annotations.NullMarked;
