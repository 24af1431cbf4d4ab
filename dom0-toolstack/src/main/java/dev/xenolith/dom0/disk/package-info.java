/**
 * Disk images: files that hold the disk of a guest, as raw bytes, qcow2 or VHD.
 *
 * <p>{@link dev.xenolith.dom0.disk.DiskImages} opens, creates, checks and resizes them; a {@link dev.xenolith.dom0.disk.DiskImage} is
 * read and written by the threads of a backend, never by the machine thread, for each call blocks until the file has answered.
 * Formats stand on a {@link dev.xenolith.dom0.disk.Store}, which is a file, or in tests one that loses what was not forced: after a
 * power cut each image opens, checks clean, and holds what was flushed. {@link dev.xenolith.dom0.disk.ImageLocks} keeps a second
 * writer out. Whatever bytes an image consists of, the answer is a {@link dev.xenolith.dom0.disk.DiskException} that names the
 * file, or an image that works. Start reading at {@code DiskImage}, then {@code RawImage}.
 */
@NullMarked
package dev.xenolith.dom0.disk;

import org.jspecify.annotations.NullMarked;
