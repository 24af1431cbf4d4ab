package dev.xenolith.dom0.xl;

import java.util.BitSet;

/**
 * One virtual CPU at one moment (XEN_DOMCTL_getvcpuinfo, XEN_DOMCTL_getvcpuaffinity).
 *
 * @param domid whose it is
 * @param domainName the name of that domain
 * @param vcpu its number in the domain, from 0
 * @param online it is up
 * @param running it is on a processor now
 * @param blocked it waits for an event
 * @param cpu the processor it runs on, or ran on last
 * @param cpuTimeNanos what it has run, in ns
 * @param hardAffinity processors it may run on; every bit set means all
 * @param softAffinity processors it prefers; every bit set means all
 */
public record VcpuInfo(int domid, String domainName, int vcpu, boolean online, boolean running, boolean blocked,
        int cpu,
        long cpuTimeNanos, BitSet hardAffinity, BitSet softAffinity) {
}
