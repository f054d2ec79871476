"""The price chart: bars in numpy columns, painted as rectangles into an image, layers of orders and evidence on top."""
