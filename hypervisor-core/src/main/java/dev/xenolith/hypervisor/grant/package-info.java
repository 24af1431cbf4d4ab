/**
 * Grant tables: how domains let each other map, copy to and from, and receive single pages (xen/include/public/grant_table.h).
 *
 * <p>A granter writes entries into frames that the hypervisor shares with it ({@link dev.xenolith.hypervisor.grant.GrantTable}), in
 * one of two versions ({@link dev.xenolith.hypervisor.grant.Entries}); the hypervisor notes in or beside them what is in use, and
 * counts uses in its own memory. A grantee's mappings are in its {@link dev.xenolith.hypervisor.grant.MapTrack}. Start reading at
 * {@link dev.xenolith.hypervisor.grant.GrantOperations}.
 */
@NullMarked
package dev.xenolith.hypervisor.grant;

import org.jspecify.annotations.NullMarked;
