/**
 * Xenstore: the tree of small values through which domains and the toolstack find each other, and its daemon.
 *
 * <p>{@link dev.xenolith.dom0.xenstore.XenStore} is the database: an immutable tree that shares structure between versions, so
 * that a transaction's snapshot is one reference. {@link dev.xenolith.dom0.xenstore.StoreView} has the operations on it, inside
 * or outside a transaction, and {@link dev.xenolith.dom0.xenstore.WatchTable} tells who hears of a change.
 * {@link dev.xenolith.dom0.xenstore.XenstoreSession} speaks the wire protocol (docs/misc/xenstore.txt,
 * xen/include/public/io/xs_wire.h), {@link dev.xenolith.dom0.xenstore.XenstoreRing} carries it over a guest's ring page, and
 * {@link dev.xenolith.dom0.xenstore.Xenstored} is the component that serves all domains. Dom0's own components use
 * {@link dev.xenolith.dom0.xenstore.XenstoreClient}. Everything runs on the machine thread; behaviour follows C xenstored 4.17,
 * differences are named where they are made.
 */
@NullMarked
package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.NullMarked;
