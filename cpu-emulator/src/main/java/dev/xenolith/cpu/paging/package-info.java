/**
 * From linear to physical addresses: page-table walks and the translation lookaside buffer.
 *
 * <p>{@link dev.xenolith.cpu.paging.Tlb} is what loads and stores test inline: three tables (read, write, fetch) of 1,024
 * entries of tag and addend, in memory of the host, indexed by the page of the <em>last</em> byte of the access, so that an
 * access across pages misses by itself. A tag is compared as a whole:
 *
 * <pre>
 * 63                                12 11              3   2      1      0
 * |  linear page                      |  context        | SMAP | USER | VALID |
 * </pre>
 *
 * VALID is always set in what is compared, so a zero entry never hits. USER: the access is made at CPL 3. SMAP: a supervisor
 * data access that may not touch user pages (CR4.SMAP, AC clear). Context: 1 to 511, the internal name of an address-space
 * tag between two flushes of it; a flush takes the next number and is O(1), and when the numbers run out all is cleared.
 * Context 0 is in no entry: a processor that compares with it misses always. Addend plus linear address is the host address.
 *
 * <p>Entries are 4 KiB also for large pages, hold the combined result of all translations, and exist only for memory; devices
 * are in a small table of their own. Start reading at {@link dev.xenolith.cpu.paging.Mmu}, which refills from a second-level
 * table of 8,192 entries or by a walk.
 */
@NullMarked
package dev.xenolith.cpu.paging;

import org.jspecify.annotations.NullMarked;
