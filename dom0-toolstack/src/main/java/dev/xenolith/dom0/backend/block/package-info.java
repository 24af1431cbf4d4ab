/**
 * The block backend: serves disk images to block frontends (xen/include/public/io/blkif.h), as Linux's xen-blkback and QEMU's xen-block
 * do.
 *
 * <p>{@link dev.xenolith.dom0.backend.block.BlockBackend} is one device: it opens the image, offers features, and maps what the
 * frontend chooses; {@link dev.xenolith.dom0.backend.block.BlockQueue} is one of its rings, whose requests it checks, turns into
 * work on the image, and answers. Rings and guest memory are touched on the machine thread only; images by threads of the host, which see
 * private buffers.
 */
@NullMarked
package dev.xenolith.dom0.backend.block;

import org.jspecify.annotations.NullMarked;
