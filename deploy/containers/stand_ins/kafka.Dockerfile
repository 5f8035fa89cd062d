# In the place of `apache/kafka`: the same jars, user, volumes and translation of KAFKA_* into server.properties.
FROM dialstream-stand-in/debian
COPY jre /opt/java
COPY jars /opt/kafka/libs
COPY kafka-run.sh /etc/kafka/docker/run
RUN useradd --uid 1000 --home-dir /home/appuser --create-home appuser \
    && mkdir -p /opt/kafka/config /opt/kafka/logs /etc/kafka/docker /etc/kafka/secrets /mnt/shared/config /var/lib/kafka/data \
    && printf 'rootLogger.level = warn\nrootLogger.appenderRef.out.ref = out\nappender.out.type = Console\nappender.out.name = out\n' \
       > /etc/kafka/docker/log4j2.properties \
    && touch /etc/kafka/docker/server.properties \
    && chown -R appuser:appuser /opt/kafka /etc/kafka /mnt/shared/config /var/lib/kafka
USER appuser
EXPOSE 9092
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
