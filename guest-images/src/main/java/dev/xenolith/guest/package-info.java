/**
 * The guests that come with Xenolith: small PV kernels of our own, to try the hypervisor with and to test it.
 * <p>
 * Their C and assembly sources are in {@code src/main/guest}: {@code runtime} is what all are linked with, every other
 * directory is one guest. {@code build.sh} turns them into the images that are committed in {@code images}, so that
 * running Xenolith needs no C compiler; a test rebuilds and compares them where the compiler of record is installed.
 * <p>
 * Start reading at {@code src/main/guest/runtime/runtime.h}. {@link dev.xenolith.guest.GuestImages} finds the images.
 */
@NullMarked
package dev.xenolith.guest;

import org.jspecify.annotations.NullMarked;
