    -- Orders that are not over, by the indexes that there are anyway: one of their own would be written whenever an order is taken.
    SELECT * FROM orders WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE')
    UNION ALL
    SELECT * FROM orders WHERE status = 'DEFERRED'
    UNION ALL
    SELECT * FROM orders WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
