/**
 * Disks, discs and their controllers.
 *
 * <p>A controller knows its drives, a drive knows its {@link dev.xenolith.device.storage.Medium}, which is whatever the host keeps the
 * bytes in. Start reading at {@code Medium}.
 */
@NullMarked
package dev.xenolith.device.storage;

import org.jspecify.annotations.NullMarked;
