# In the place of Docker's `mongo` image: the same user, folders, volumes and change of user, with this machine's mongod.
FROM dialstream-stand-in/debian
COPY mongod /usr/bin/mongod
COPY mongo-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 --home-dir /data/db mongodb \
    && mkdir -p /data/db /data/configdb && chown -R mongodb:mongodb /data/db /data/configdb
VOLUME ["/data/db", "/data/configdb"]
EXPOSE 27017
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mongod"]
