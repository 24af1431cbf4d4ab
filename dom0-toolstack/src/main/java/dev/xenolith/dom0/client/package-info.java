/**
 * The thin client: what a user's {@code xl} or {@code xenolith} is as a process. It hands its command line to the daemon and
 * copies bytes; to be quick it touches nothing outside the JDK unless there is no daemon to ask.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.client.Main}.
 */
@NullMarked
package dev.xenolith.dom0.client;

import org.jspecify.annotations.NullMarked;
