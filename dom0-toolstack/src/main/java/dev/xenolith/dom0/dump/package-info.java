/**
 * Core dumps of domains, in the format of {@code xl dump-core} (docs/misc/dump-core-format.txt in Xen's sources): an ELF file with
 * sections for vCPUs, shared info, pages, and which pages they are.
 *
 * <p>dom0 copies a domain's frames in small batches, other threads write the copies to the file. Start reading at
 * {@link dev.xenolith.dom0.dump.CoreDump}; {@link dev.xenolith.dom0.dump.CoreFile} knows the format.
 */
@NullMarked
package dev.xenolith.dom0.dump;

import org.jspecify.annotations.NullMarked;
