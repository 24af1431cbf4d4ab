package dev.xenolith.dom0.protocol;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The first frame of a client: what is to be run, where, and on what kind of terminal.
 *
 * @param program xl, xenolith, or {@link #HOST_CONTROL}
 * @param arguments without the program
 * @param directory the working directory, absolute
 * @param environment the variables of {@link #VARIABLES} that are set
 * @param inIsTerminal standard input is a terminal
 * @param outIsTerminal standard output is a terminal
 * @param columns of the terminal, 0 if unknown
 * @param rows of the terminal, 0 if unknown
 */
public record Hello(String program, List<String> arguments, String directory, Map<String, String> environment,
        boolean inIsTerminal, boolean outIsTerminal, int columns, int rows) {
    /** The program of requests to the daemon itself: stop, status. */
    public static final String HOST_CONTROL = "host";

    /** Environment variables that are sent. */
    public static final List<String> VARIABLES = List.of("TZ", "TERM", "NO_COLOR", "LANG", "HOME", "XDG_CACHE_HOME");

    private static final int MAX_ARGUMENTS = 4096;

    /** Copies the collections. */
    public Hello {
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /** Returns the payload. */
    public byte[] encode() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(Frames.MAGIC);
        out.writeShort(Frames.VERSION);
        write(out, program);
        out.writeShort(arguments.size());
        for (String argument : arguments) {
            write(out, argument);
        }
        write(out, directory);
        out.writeShort(environment.size());
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            write(out, variable.getKey());
            write(out, variable.getValue());
        }
        out.writeByte((inIsTerminal ? 1 : 0) | (outIsTerminal ? 2 : 0));
        out.writeShort(columns);
        out.writeShort(rows);
        return bytes.toByteArray();
    }

    /**
     * Reads a payload.
     *
     * @throws ProtocolException it is not one of ours, of another version, or damaged; the message is for the client
     */
    public static Hello decode(byte[] payload) throws ProtocolException {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(payload))) {
            if (in.readInt() != Frames.MAGIC) {
                throw new ProtocolException("not a client of ours");
            }
            int version = in.readUnsignedShort();
            if (version != Frames.VERSION) {
                throw new ProtocolException(
                        "the running host speaks protocol " + Frames.VERSION + ", this client " + version
                                + ": restart the host ('xenolith host stop', then 'xenolith host start')");
            }
            String program = read(in);
            int count = in.readUnsignedShort();
            if (count > MAX_ARGUMENTS) {
                throw new ProtocolException("more than " + MAX_ARGUMENTS + " arguments");
            }
            List<String> arguments = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                arguments.add(read(in));
            }
            String directory = read(in);
            Map<String, String> environment = new HashMap<>();
            for (int i = in.readUnsignedShort(); i > 0; i--) {
                environment.put(read(in), read(in));
            }
            int terminals = in.readUnsignedByte();
            Hello hello = new Hello(program, arguments, directory, environment, (terminals & 1) != 0,
                    (terminals & 2) != 0,
                    in.readUnsignedShort(), in.readUnsignedShort());
            if (in.available() > 0) {
                throw new ProtocolException("bytes after the end of the greeting");
            }
            return hello;
        } catch (ProtocolException e) {
            throw e;
        } catch (IOException e) {
            throw new ProtocolException("the greeting is cut off");
        }
    }

    private static void write(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static String read(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new ProtocolException("the greeting is damaged");
        }
        return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }
}
