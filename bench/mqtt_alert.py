"""From a reading published by MQTT to the alert on an open event stream, by real sockets at both ends."""

import http.client
import statistics
import sys
import time

import paho.mqtt.client as mqtt

from bench.measuring import Figure, folder, report
from bench.prepared import prepare, up

CLAIM = "A reading by MQTT is an alert on an open event stream in ≤ 1 s"
PAUSE = 0.05
PATIENCE = 30


def wait_for_alert(stream: http.client.HTTPResponse) -> None:
    """Reads the stream up to the next alert."""
    start = time.perf_counter()
    while not stream.readline().startswith(b"event: alert"):
        if time.perf_counter() - start > PATIENCE:
            raise SystemExit(f"no alert within {PATIENCE} s")
    while stream.readline().strip():
        pass


def main(turns: int = 20) -> None:
    waits = []
    with folder() as data:
        ready = prepare(data)
        with up(data) as (_, port, mqtt_port, _):
            pages = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            pages.request("GET", "/live", headers={"cookie": ready.cookie})
            stream = pages.getresponse()
            if stream.status != 200:
                raise SystemExit(f"the event stream answered {stream.status}")
            stream.readline()
            device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
            device.username_pw_set("home-1", ready.token)
            device.connect("127.0.0.1", mqtt_port)
            device.loop_start()
            for _ in range(turns):
                device.publish("cheng/home-1/gas", "2", qos=1).wait_for_publish(10)
                time.sleep(PAUSE)
                start = time.perf_counter()
                device.publish("cheng/home-1/gas", "40", qos=1)
                wait_for_alert(stream)
                waits.append(time.perf_counter() - start)
            device.loop_stop()
    claim = "a reading by MQTT is an alert on an open event stream"
    report(Figure(claim, "≤ 1 s", "s", waits, max(waits) <= 1, f"p50 {statistics.median(waits) * 1000:.0f} ms"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
