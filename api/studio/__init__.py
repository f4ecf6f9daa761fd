"""The studio's resources, one module each: shapes, SQL and handlers side by side."""
