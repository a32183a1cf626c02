UPDATE meta SET schema = 6;
