/**
 * {@code xenolith disk}: disk images made, shown, converted, checked and resized, in the client's own process.
 *
 * <p>All work is that of {@link dev.xenolith.dom0.disk}; here are options, sizes, listings and exit codes. Start reading at
 * {@link dev.xenolith.dom0.disktool.DiskCommand}.
 */
@NullMarked
package dev.xenolith.dom0.disktool;

import org.jspecify.annotations.NullMarked;
