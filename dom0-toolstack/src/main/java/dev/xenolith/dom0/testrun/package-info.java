/**
 * {@code xenolith test}: guests that test something are started one after another or several at a time, each on a host of its own with
 * a virtual clock and a seed, and judged by what they say on their consoles and how they end. After each the hypervisor audits itself.
 *
 * <p>What boots the hosts is behind {@link dev.xenolith.dom0.testrun.GuestHost}, so that the judging can be tested without any.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.testrun.TestRunner}.
 */
@NullMarked
package dev.xenolith.dom0.testrun;

import org.jspecify.annotations.NullMarked;
