import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.Collector;

/**
 * Above 80 for at least 60 s, by thing and event time. Arguments: NDJSON, where the alerting things are written, the
 * lateness in seconds (readings wait for a watermark that far behind, in event order), and `stream` for a keyed stream
 * with value state or `sql` for MATCH_RECOGNIZE. It runs three times in this JVM; the first (cold) and the third are told.
 */
public final class FlinkJob {
    static final double LIMIT = 80.0;
    static final long HOLD = 60_000;
    static final long NONE = Long.MIN_VALUE;
    static final String LINES =
            """
            create temporary table readings (
                id string, `time` bigint, `value` double,
                moment as to_timestamp_ltz(coalesce(`time`, 0), 3), watermark for moment as moment - interval '%s' second
            ) with ('connector' = 'filesystem', 'path' = 'file://%s', 'format' = 'json', 'json.ignore-parse-errors' = 'true')
            """;
    static final String EPISODES =
            """
            select id from readings match_recognize (
                partition by id order by moment measures last(X.`time`) as found after match skip past last row
                pattern (L A H* X)
                define L as L.`value` <= 80, A as A.`value` > 80,
                    H as H.`value` > 80 and H.`time` < A.`time` + 60000,
                    X as X.`value` > 80 and X.`time` >= A.`time` + 60000)
            """;
    static final List<String> ALERTS = Collections.synchronizedList(new ArrayList<>());
    static final JsonFactory JSON = new JsonFactory();

    static void decode(String line, Collector<Tuple3<String, Long, Double>> out) {
        String id = null;
        long time = NONE;
        double value = Double.NaN;
        try (JsonParser parser = JSON.createParser(line)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.getCurrentName();
                JsonToken token = parser.nextToken();
                if (name.equals("id") && token == JsonToken.VALUE_STRING) {
                    id = parser.getText();
                } else if (name.equals("time") && token == JsonToken.VALUE_NUMBER_INT) {
                    time = parser.getLongValue();
                } else if (name.equals("value") && token.isNumeric()) {
                    value = parser.getDoubleValue();
                } else {
                    parser.skipChildren();
                }
            }
            if (parser.currentToken() != JsonToken.END_OBJECT) {
                return;
            }
        } catch (IOException malformed) {
            return;
        }
        if (id != null && time != NONE && Double.isFinite(value)) {
            out.collect(Tuple3.of(id, time, value));
        }
    }

    /** Judges readings as they come; since when a thing is above the limit is its state, HELD once it was told. */
    static class InOrder extends KeyedProcessFunction<String, Tuple3<String, Long, Double>, String> {
        static final long HELD = Long.MAX_VALUE;
        private transient ValueState<Long> above;

        @Override
        public void open(OpenContext context) throws Exception {
            above = getRuntimeContext().getState(new ValueStateDescriptor<>("above", Types.LONG));
        }

        @Override
        public void processElement(Tuple3<String, Long, Double> reading, Context context, Collector<String> out)
                throws Exception {
            judge(reading.f0, reading.f1, reading.f2, out);
        }

        final void judge(String id, long time, double value, Collector<String> out) throws Exception {
            Long since = above.value();
            if (value <= LIMIT) {
                if (since != null) {
                    above.clear();
                }
            } else if (since == null) {
                above.update(time);
            } else if (since != HELD && time - since >= HOLD) {
                above.update(HELD);
                out.collect(id);
            }
        }
    }

    /** The same, once the watermark has passed a reading, in order of event time. */
    static final class ByWatermark extends InOrder {
        private transient MapState<Long, Double> waiting;

        @Override
        public void open(OpenContext context) throws Exception {
            super.open(context);
            waiting = getRuntimeContext().getMapState(new MapStateDescriptor<>("waiting", Types.LONG, Types.DOUBLE));
        }

        @Override
        public void processElement(Tuple3<String, Long, Double> reading, Context context, Collector<String> out)
                throws Exception {
            if (reading.f1 > context.timerService().currentWatermark()) {
                waiting.put(reading.f1, reading.f2);
                context.timerService().registerEventTimeTimer(reading.f1);
            }
        }

        @Override
        public void onTimer(long time, OnTimerContext context, Collector<String> out) throws Exception {
            judge(context.getCurrentKey(), time, waiting.get(time), out);
            waiting.remove(time);
        }
    }

    static StreamExecutionEnvironment local() {
        return StreamExecutionEnvironment.createLocalEnvironment(1, new Configuration());
    }

    static void stream(String file, long lateness) throws Exception {
        StreamExecutionEnvironment env = local();
        env.getConfig().enableObjectReuse();
        FileSource<String> lines =
                FileSource.forRecordStreamFormat(
                                new TextLineInputFormat("UTF-8"), new org.apache.flink.core.fs.Path("file://" + file))
                        .build();
        DataStream<Tuple3<String, Long, Double>> readings =
                env.fromSource(lines, WatermarkStrategy.noWatermarks(), "lines")
                        .flatMap(FlinkJob::decode)
                        .returns(Types.TUPLE(Types.STRING, Types.LONG, Types.DOUBLE));
        if (lateness > 0) {
            readings =
                    readings.assignTimestampsAndWatermarks(
                            WatermarkStrategy.<Tuple3<String, Long, Double>>forBoundedOutOfOrderness(
                                            Duration.ofSeconds(lateness))
                                    .withTimestampAssigner((reading, before) -> reading.f1));
        }
        readings.keyBy(reading -> reading.f0, Types.STRING)
                .process(lateness > 0 ? new ByWatermark() : new InOrder())
                .map(
                        id -> {
                            ALERTS.add(id);
                            return id;
                        })
                .returns(Types.STRING)
                .sinkTo(new DiscardingSink<>());
        env.execute();
    }

    static void sql(String file, long lateness) throws Exception {
        StreamTableEnvironment tables = StreamTableEnvironment.create(local());
        tables.executeSql(LINES.formatted(lateness == 0 ? "0.001" : Long.toString(lateness), file));
        try (CloseableIterator<Row> found = tables.executeSql(EPISODES).collect()) {
            found.forEachRemaining(row -> ALERTS.add(row.getFieldAs(0)));
        }
    }

    public static void main(String[] words) throws Exception {
        long lateness = Long.parseLong(words[2]);
        OperatingSystemMXBean machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        double[] took = new double[3];
        double used = 0;
        for (int turn = 0; turn < took.length; turn++) {
            ALERTS.clear();
            long cpu = machine.getProcessCpuTime();
            long start = System.nanoTime();
            if (words[3].equals("sql")) {
                sql(words[0], lateness);
            } else {
                stream(words[0], lateness);
            }
            took[turn] = (System.nanoTime() - start) / 1e9;
            used = (machine.getProcessCpuTime() - cpu) / 1e9;
        }
        Files.write(Path.of(words[1]), ALERTS);
        System.out.printf(
                Locale.ROOT, "{\"seconds\": %f, \"cpu_seconds\": %f, \"note\": \"cold %.0f s\"}%n", took[2], used, took[0]);
        System.exit(0);
    }
}
