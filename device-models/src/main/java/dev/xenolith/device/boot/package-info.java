/**
 * Boot protocols: how a kernel or firmware image gets into memory, and in what state the processor enters it.
 *
 * <p>{@link dev.xenolith.device.boot.BootImage} tells what an image is and loads it; the result is a
 * {@link dev.xenolith.device.boot.BootEntry}. Whatever is wrong with an image is one
 * {@link dev.xenolith.device.boot.BootException}. Start reading at {@code BootImage}.
 */
@NullMarked
package dev.xenolith.device.boot;

import org.jspecify.annotations.NullMarked;
