import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.commons.io.FileUtils;
import org.apache.spark.api.java.function.FlatMapGroupsWithStateFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.GroupState;
import org.apache.spark.sql.streaming.GroupStateTimeout;
import org.apache.spark.sql.streaming.OutputMode;
import org.apache.spark.sql.streaming.Trigger;

/**
 * Above 80 for at least 60 s with Spark. Arguments: NDJSON, where the alerting things are written, the lateness (not
 * used), and `batch` (window functions in SQL over the whole file) or `stream` (a state for each thing, ten
 * micro-batches, checkpoints in memory). It runs three times in this JVM; the first (cold) and the third (warm) are told.
 */
public final class SparkJob {
    static final double LIMIT = 80.0;
    static final long HOLD = 60_000;
    static final int PARTS = 10;
    static final String SCHEMA = "id string, attr string, time bigint, value double";
    static final String READABLE = "id is not null and time is not null and value < double('infinity')";
    static final String EPISODES =
            "select id from (select id, time, value > 80 above, sum(int(value <= 80)) over (partition by id order by time)"
                    + " stretch from lines where " + READABLE + ")"
                    + " where above group by id, stretch having max(time) - min(time) >= 60000";
    static final List<String> ALERTS = Collections.synchronizedList(new ArrayList<>());

    static List<String> batch(SparkSession spark, String file) {
        spark.read().schema(SCHEMA).json(file).createOrReplaceTempView("lines");
        return spark.sql(EPISODES).as(Encoders.STRING()).collectAsList();
    }

    /** One reading. */
    public static final class Reading implements Serializable {
        private String id;
        private long time;
        private double value;

        public String getId() {
            return id;
        }

        public void setId(String id) {
            this.id = id;
        }

        public long getTime() {
            return time;
        }

        public void setTime(long time) {
            this.time = time;
        }

        public double getValue() {
            return value;
        }

        public void setValue(double value) {
            this.value = value;
        }
    }

    /** Sorted within a micro-batch; the state is since when a thing is above the limit, and it is gone when it is not. */
    static Iterator<String> judge(String id, Iterator<Reading> readings, GroupState<Long> state) {
        List<Reading> sorted = new ArrayList<>();
        readings.forEachRemaining(sorted::add);
        sorted.sort((a, b) -> Long.compare(a.time, b.time));
        List<String> found = new ArrayList<>();
        Long since = state.exists() ? state.get() : null;
        for (Reading reading : sorted) {
            if (reading.value <= LIMIT) {
                since = null;
            } else if (since == null) {
                since = reading.time;
            } else if (since != Long.MAX_VALUE && reading.time - since >= HOLD) {
                since = Long.MAX_VALUE;
                found.add(id);
            }
        }
        if (since != null) {
            state.update(since);
        } else if (state.exists()) {
            state.remove();
        }
        return found.iterator();
    }

    static List<String> stream(SparkSession spark, String parts) throws Exception {
        ALERTS.clear();
        Path checkpoints = Files.createTempDirectory(Path.of("/dev/shm"), "cheng-bench-");
        Dataset<Reading> readings =
                spark.readStream().schema(SCHEMA).option("maxFilesPerTrigger", 1).json(parts)
                        .where(READABLE).select("id", "time", "value").as(Encoders.bean(Reading.class));
        Dataset<String> alerts =
                readings.groupByKey((MapFunction<Reading, String>) Reading::getId, Encoders.STRING())
                        .flatMapGroupsWithState(
                                (FlatMapGroupsWithStateFunction<String, Reading, Long, String>) SparkJob::judge,
                                OutputMode.Append(), Encoders.LONG(), Encoders.STRING(), GroupStateTimeout.NoTimeout());
        alerts.writeStream()
                .option("checkpointLocation", checkpoints.toString())
                .trigger(Trigger.AvailableNow())
                .foreachBatch((VoidFunction2<Dataset<String>, Long>) (found, number) -> ALERTS.addAll(found.collectAsList()))
                .start().awaitTermination();
        FileUtils.deleteDirectory(checkpoints.toFile());
        return new ArrayList<>(ALERTS);
    }

    /** The file in PARTS, in its order, each one older than the next. */
    static String parts(String file) throws IOException {
        Path folder = Files.createDirectory(Path.of("parts"));
        long size = Files.size(Path.of(file)) / PARTS + 1;
        try (BufferedReader lines = Files.newBufferedReader(Path.of(file), StandardCharsets.ISO_8859_1)) {
            String line = lines.readLine();
            for (int part = 0; part < PARTS; part++) {
                Path path = folder.resolve("part-" + part + ".json");
                try (BufferedWriter out = Files.newBufferedWriter(path, StandardCharsets.ISO_8859_1)) {
                    for (long room = size; line != null && room > 0; line = lines.readLine()) {
                        out.write(line + "\n");
                        room -= line.length() + 1;
                    }
                }
                path.toFile().setLastModified(1_700_000_000_000L + part * 1000L);
            }
        }
        return folder.toString();
    }

    public static void main(String[] words) throws Exception {
        boolean streaming = words[3].equals("stream");
        SparkSession spark =
                SparkSession.builder().master("local[2]")
                        .config("spark.ui.enabled", "false")
                        .config("spark.sql.shuffle.partitions", "2")
                        .getOrCreate();
        spark.sparkContext().setLogLevel("ERROR");
        String source = streaming ? parts(words[0]) : words[0];
        OperatingSystemMXBean machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        List<String> found = List.of();
        double[] took = new double[3];
        double used = 0;
        for (int turn = 0; turn < took.length; turn++) {
            long cpu = machine.getProcessCpuTime();
            long start = System.nanoTime();
            found = streaming ? stream(spark, source) : batch(spark, source);
            took[turn] = (System.nanoTime() - start) / 1e9;
            used = (machine.getProcessCpuTime() - cpu) / 1e9;
        }
        Files.write(Path.of(words[1]), found);
        System.out.printf(
                Locale.ROOT, "{\"seconds\": %f, \"cpu_seconds\": %f, \"note\": \"cold %.0f s\"}%n", took[2], used, took[0]);
        spark.stop();
    }
}
