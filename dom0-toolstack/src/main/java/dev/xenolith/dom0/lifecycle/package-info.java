/**
 * The lives of domains, as dom0 manages them: creation as a transaction, shutdown and what the configuration asks for then,
 * destruction, names, and the xenstore nodes of each.
 *
 * <p>Everything runs in bounded steps as handlers of dom0. Start reading at
 * {@link dev.xenolith.dom0.lifecycle.DomainManager}; {@link dev.xenolith.dom0.lifecycle.Transaction} is how a creation that fails
 * leaves nothing behind.
 */
@NullMarked
package dev.xenolith.dom0.lifecycle;

import org.jspecify.annotations.NullMarked;
