/**
 * What a Java domain and the toolstack may ask of the hypervisor: the only part of it that dom0 sees, beside {@code abi}.
 *
 * <p>A {@link dev.xenolith.hypervisor.operations.DomainHandle} is the door of one Java domain. Everything asked through it is
 * asked in that domain's name, passes the same check and runs the same operation as the hypercall of a guest would, and what it
 * holds (mappings, ports, grants) is counted and ends with the domain. Operations return a value that is not negative, or a
 * negative Xen errno (see {@code abi.Errno}); they never throw for what a caller or a guest did. All calls are made on the
 * machine thread.
 */
@NullMarked
package dev.xenolith.hypervisor.operations;

import org.jspecify.annotations.NullMarked;
