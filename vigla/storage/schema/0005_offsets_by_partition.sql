-- A topic on Kafka has several logs. What was written before is of the local bus, which has one.
ALTER TABLE lake.main.offsets ADD COLUMN partition INTEGER DEFAULT 0;
