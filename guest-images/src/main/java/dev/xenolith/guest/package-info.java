/**
 * The guests that come with Xenolith: small PV kernels of our own, to try the hypervisor with and to test it.
 * <p>
 * Their C and assembly sources are in {@code src/main/guest}: {@code runtime} is what all are linked with, every other
 * directory is one guest. Files for 64 or 32 bits only are in {@code x86_64} and {@code x86_32} below these. {@code build.sh} turns
 * them into the images that are committed in {@code images} and, of 32 bits, {@code images/pae}, so that
 * running Xenolith needs no C compiler; a test rebuilds and compares them where the compiler of record is installed.
 * <p>
 * Start reading at {@code src/main/guest/runtime/runtime.h}. {@link dev.xenolith.guest.GuestImages} finds the images.
 */
@NullMarked
package dev.xenolith.guest;

import org.jspecify.annotations.NullMarked;
