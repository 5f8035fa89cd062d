#!/usr/bin/env bash
# Writes the settings and formats the storage by the class that the official image uses, then starts the broker.
set -euo pipefail
test -w /opt/kafka/config
java=(/opt/java/bin/java -cp '/opt/kafka/libs/*' -Dlog4j2.configurationFile=/etc/kafka/docker/log4j2.properties)
# It cannot say that storage which is formatted already is all right.
said=$("${java[@]}" kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
    --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) \
    || [[ $said == *"already formatted"* ]] || { echo "$said" >&2; exit 1; }
read -ra heap <<< "${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}"
exec "${java[0]}" "${heap[@]}" "${java[@]:1}" kafka.Kafka /opt/kafka/config/server.properties
