package dev.xenolith.dom0.testrun;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * The results as Maven Surefire writes them (surefire-test-report.xsd), which is what continuous integration reads: one test suite with
 * a test case for each run.
 */
public final class JunitReport {
    private static final String SCHEMA = "https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd";
    private static final String INSTANCE = "http://www.w3.org/2001/XMLSchema-instance";
    private static final String SUITE = "xenolith.test";
    /** So much of a console goes into the report, in characters from its end. */
    private static final int MOST_OUTPUT = 64 << 10;

    private final XMLStreamWriter xml;

    private JunitReport(XMLStreamWriter xml) {
        this.xml = xml;
    }

    /** Writes the report; what was there before is replaced. */
    public static void write(Path file, List<RunResult> results, long hostNanos) throws IOException {
        try (Writer out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(out);
            new JunitReport(xml).suite(results, hostNanos);
            xml.close();
        } catch (XMLStreamException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void suite(List<RunResult> results, long hostNanos) throws XMLStreamException {
        xml.writeStartDocument("UTF-8", "1.0");
        xml.writeCharacters("\n");
        xml.writeStartElement("testsuite");
        xml.writeNamespace("xsi", INSTANCE);
        xml.writeAttribute("xsi", INSTANCE, "noNamespaceSchemaLocation", SCHEMA);
        xml.writeAttribute("version", "3.0.2");
        xml.writeAttribute("name", SUITE);
        xml.writeAttribute("time", seconds(hostNanos));
        xml.writeAttribute("tests", Integer.toString(results.size()));
        xml.writeAttribute("errors", count(results, Kind.ERROR));
        xml.writeAttribute("skipped", count(results, Kind.SKIPPED));
        xml.writeAttribute("failures", count(results, Kind.FAILURE));
        xml.writeCharacters("\n  ");
        xml.writeStartElement("properties");
        property("audits", Integer.toString(results.stream().mapToInt(RunResult::audits).sum()));
        xml.writeCharacters("\n  ");
        xml.writeEndElement();
        for (RunResult result : results) {
            testCase(result);
        }
        xml.writeCharacters("\n");
        xml.writeEndElement();
        xml.writeCharacters("\n");
        xml.writeEndDocument();
    }

    private void property(String name, String value) throws XMLStreamException {
        xml.writeCharacters("\n    ");
        xml.writeEmptyElement("property");
        xml.writeAttribute("name", name);
        xml.writeAttribute("value", value);
    }

    private void testCase(RunResult result) throws XMLStreamException {
        xml.writeCharacters("\n  ");
        xml.writeStartElement("testcase");
        xml.writeAttribute("name", legal(result.run().test().name() + "[seed=" + result.run().seed() + ", cpu="
                + result.run().cpu() + "]"));
        xml.writeAttribute("classname", legal(SUITE + "." + result.run().test().name()));
        xml.writeAttribute("time", seconds(result.hostNanos()));
        Kind kind = Kind.of(result);
        if (kind != Kind.PASSED) {
            xml.writeCharacters("\n    ");
            xml.writeStartElement(kind.element);
            xml.writeAttribute("message", legal(result.reason()));
            if (kind != Kind.SKIPPED) {
                xml.writeAttribute("type", ResultTable.word(result.outcome()));
                xml.writeCharacters(legal(result.reason()));
            }
            xml.writeEndElement();
        }
        if (result.isBad()) {
            xml.writeCharacters("\n    ");
            xml.writeStartElement("system-out");
            String console = result.console();
            xml.writeCharacters(legal(console.substring(Math.max(0, console.length() - MOST_OUTPUT))));
            xml.writeEndElement();
        }
        xml.writeCharacters("\n  ");
        xml.writeEndElement();
    }

    /** What Surefire has elements for. */
    private enum Kind {
        PASSED(""), FAILURE("failure"), ERROR("error"), SKIPPED("skipped");

        private final String element;

        Kind(String element) {
            this.element = element;
        }

        static Kind of(RunResult result) {
            return switch (result.outcome()) {
                case PASSED -> PASSED;
                case FAILED -> FAILURE;
                case TIMEOUT, ERROR -> ERROR;
                case SKIPPED, INTERRUPTED -> SKIPPED;
            };
        }
    }

    private static String count(List<RunResult> results, Kind kind) {
        return Long.toString(results.stream().filter(result -> Kind.of(result) == kind).count());
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.3f", nanos / 1e9);
    }

    /** A guest may say anything; what XML 1.0 has no character for becomes a question mark. */
    private static String legal(String text) {
        StringBuilder legal = new StringBuilder(text.length());
        text.codePoints().map(c -> c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xd7ff
                || c >= 0xe000 && c <= 0xfffd || c >= 0x10000 ? c : '?').forEach(legal::appendCodePoint);
        return legal.toString();
    }
}
