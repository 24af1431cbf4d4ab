/**
 * Intel's 82540EM, the card of the PRO/1000 MT Desktop adapter (Intel 317453, "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual"). {@link dev.xenolith.device.network.e1000.E1000} is the function with its registers; what it sends and receives is
 * in classes of their own, and so are its EEPROM and its PHY.
 */
@NullMarked
package dev.xenolith.device.network.e1000;

import org.jspecify.annotations.NullMarked;
